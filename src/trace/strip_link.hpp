#ifndef HALFOPEN_TRACE_STRIP_LINK_HPP
#define HALFOPEN_TRACE_STRIP_LINK_HPP

/// What stands before the IP packet in a captured frame or in a tunnel, and the readers of
/// network-order numbers that every layer needs. Private to this folder.

#include <expected>
#include <optional>
#include <span>

#include "halfopen/trace/packet.hpp"

namespace halfopen::trace {

using bytes = std::span<const std::byte>;

/// The number at `at`, which the caller has checked to be inside `b`.
[[nodiscard]] inline std::uint8_t octet(bytes b, std::size_t at) noexcept {
  return std::to_integer<std::uint8_t>(b[at]);
}
[[nodiscard]] inline std::uint16_t be16(bytes b, std::size_t at) noexcept {
  return static_cast<std::uint16_t>((unsigned{octet(b, at)} << 8U) | octet(b, at + 1));
}
[[nodiscard]] inline std::uint32_t be32(bytes b, std::size_t at) noexcept {
  return (std::uint32_t{be16(b, at)} << 16U) | be16(b, at + 2);
}

/// How far the layers of one frame have been read.
struct unwrapping {
  std::uint32_t carriers = 0;  ///< bits of `carrier`
  int layers = 0;

  void met(carrier c) noexcept { carriers |= std::uint32_t{1} << static_cast<unsigned>(c); }
  /// False for a frame that has more layers than a real one.
  [[nodiscard]] bool one_more() noexcept { return ++layers <= 24; }
};

/// The IP packet inside the frame, with whatever follows it (padding).
[[nodiscard]] std::expected<bytes, decode_error> strip_link(bytes frame, link type,
                                                            unwrapping& so_far) noexcept;

/// The IP packet inside a tunnel: what an IP packet of that protocol carries. Nothing if it
/// is no tunnel that is known; not_ip if it carries something else than IP.
[[nodiscard]] std::optional<std::expected<bytes, decode_error>> strip_tunnel(std::uint8_t protocol,
                                                                             bytes payload,
                                                                             unwrapping& so_far) noexcept;

}  // namespace halfopen::trace

#endif
