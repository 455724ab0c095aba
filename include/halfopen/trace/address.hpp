#ifndef HALFOPEN_TRACE_ADDRESS_HPP
#define HALFOPEN_TRACE_ADDRESS_HPP

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace halfopen::trace {

/// An IPv4 or IPv6 address. A value: copies are cheap, functions thread-safe.
class ip_address {
 public:
  ip_address() = default;

  /// From 4 (IPv4) or 16 (IPv6) bytes in network order; 0.0.0.0 for any other number.
  explicit ip_address(std::span<const std::byte> network_order) noexcept;

  /// From text as inet_pton(3) reads it; nothing if it is neither kind.
  [[nodiscard]] static std::optional<ip_address> parse(std::string_view text) noexcept;

  [[nodiscard]] bool is_v6() const noexcept { return v6_; }

  /// 4 or 16 bytes in network order.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {bytes_.data(), v6_ ? 16U : 4U}; }

  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const ip_address&) const = default;

 private:
  std::array<std::byte, 16> bytes_{};
  bool v6_ = false;
};

/// An address and a TCP port (host byte order).
struct endpoint {
  ip_address address;
  std::uint16_t port = 0;

  /// "10.0.0.1:80", "[fd00::1]:80".
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const endpoint&) const = default;
};

}  // namespace halfopen::trace

#endif
