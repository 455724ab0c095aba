#ifndef HALFOPEN_TRACE_STRIP_LINK_HPP
#define HALFOPEN_TRACE_STRIP_LINK_HPP

/// What stands before the IP packet in a captured frame, and the readers of
/// network-order numbers that every layer needs. Private to this folder.

#include <expected>
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

/// The IP packet inside the frame, with whatever follows it (padding).
[[nodiscard]] std::expected<bytes, decode_error> strip_link(bytes frame, link type) noexcept;

}  // namespace halfopen::trace

#endif
