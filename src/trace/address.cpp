// Addresses as text and back.
//
// inet_pton(3) and inet_ntop(3) do the work: they need no locale, no lookup and
// no allocation, and print IPv6 in the canonical form of RFC 5952. getaddrinfo
// with AI_NUMERICHOST was the alternative; it allocates, and reads "10.1" as
// 10.0.0.1, which nobody who writes a test means.

#include "halfopen/trace/address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace halfopen::trace {

std::strong_ordering ip_address::operator<=>(const ip_address& other) const noexcept {
  if (v6_ != other.v6_) return v6_ <=> other.v6_;
  return std::memcmp(words_.data(), other.words_.data(), sizeof words_) <=> 0;
}

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
  // inet_pton wants a terminated string. An embedded NUL would end it early
  // and let "::1\0rubbish" pass.
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::ranges::copy(text, terminated.begin());

  std::array<std::byte, 16> bytes{};
  if (inet_pton(AF_INET, terminated.data(), bytes.data()) == 1)
    return ip_address{std::span{bytes}.first<4>()};
  if (inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1) return ip_address{bytes};
  return std::nullopt;
}

std::string ip_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(v6_ ? AF_INET6 : AF_INET, words_.data(), text.data(), text.size()) == nullptr) return "?";
  return text.data();
}

std::string endpoint::to_string() const {
  const std::string host = address.is_v6() ? '[' + address.to_string() + ']' : address.to_string();
  return host + ':' + std::to_string(port);
}

}  // namespace halfopen::trace
