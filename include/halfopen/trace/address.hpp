#ifndef HALFOPEN_TRACE_ADDRESS_HPP
#define HALFOPEN_TRACE_ADDRESS_HPP

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
  explicit ip_address(std::span<const std::byte> network_order) noexcept {
    if (network_order.size() == 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, network_order.data(), sizeof word);
      words_[0] = std::endian::native == std::endian::little ? word : std::uint64_t{word} << 32U;
    } else if (network_order.size() == 16) {
      std::memcpy(words_.data(), network_order.data(), sizeof words_);
      v6_ = true;
    }
  }

  /// From text as inet_pton(3) reads it; nothing if it is neither kind.
  [[nodiscard]] static std::optional<ip_address> parse(std::string_view text) noexcept;

  [[nodiscard]] bool is_v6() const noexcept { return v6_; }

  /// 4 or 16 bytes in network order.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {reinterpret_cast<const std::byte*>(words_.data()), v6_ ? 16U : 4U};
  }

  [[nodiscard]] std::string to_string() const;

  bool operator==(const ip_address& other) const noexcept {
    return words_[0] == other.words_[0] && words_[1] == other.words_[1] && v6_ == other.v6_;
  }
  /// IPv4 first, then by the bytes.
  std::strong_ordering operator<=>(const ip_address& other) const noexcept;

  /// The 16 bytes (of IPv4 the first four, then zeros) as they lie in memory: for a hash.
  [[nodiscard]] const std::array<std::uint64_t, 2>& words() const noexcept { return words_; }

 private:
  // Whole words, since an address is copied several times for each packet, and a processor
  // waits if what it reads at once was just written in parts.
  std::array<std::uint64_t, 2> words_{};
  bool v6_ = false;
};

/// An address and a TCP port (host byte order).
struct endpoint {
  ip_address address;
  std::uint16_t port = 0;

  /// "10.0.0.1:80", "[fd00::1]:80".
  [[nodiscard]] std::string to_string() const;

  bool operator==(const endpoint& other) const noexcept {
    return port == other.port && address == other.address;
  }
  auto operator<=>(const endpoint&) const = default;
};

}  // namespace halfopen::trace

#endif
