#ifndef HALFOPEN_TRACE_PACKET_BUILDER_HPP
#define HALFOPEN_TRACE_PACKET_BUILDER_HPP

/// Frames for the tests of this folder, byte by byte: a test of a decoder should
/// not share its idea of a header with a library that might share its mistake.
/// Test-only. Checksums are left 0; decode does not look at them.

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::trace::testing {

using frame = std::vector<std::byte>;

inline void put8(frame& f, unsigned value) {
  f.push_back(static_cast<std::byte>(value));
}
inline void put16(frame& f, unsigned value) {
  put8(f, value >> 8U);
  put8(f, value & 0xFFU);
}
inline void put32(frame& f, std::uint32_t value) {
  put16(f, value >> 16U);
  put16(f, value & 0xFFFFU);
}
inline void put(frame& f, std::span<const std::byte> more) {
  f.insert(f.end(), more.begin(), more.end());
}
inline void put_zeros(frame& f, std::size_t count) {
  f.insert(f.end(), count, std::byte{0});
}

inline ip_address address(std::string_view text) {
  const auto parsed = ip_address::parse(text);
  if (!parsed) throw std::invalid_argument{"not an address"};
  return *parsed;
}

inline const endpoint client{address("10.0.0.1"), 40000};
inline const endpoint server{address("10.0.0.2"), 80};
inline const endpoint client_v6{address("fd00::1"), 40000};
inline const endpoint server_v6{address("fd00::2"), 80};
inline const ip_address a_router = address("10.0.0.254");

/// A TCP segment as it stands in an IP packet.
struct segment {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  unsigned flags = ack;
  std::size_t payload = 0;
  std::size_t options = 0;  ///< bytes, a multiple of four
  unsigned window = 1000;

  [[nodiscard]] frame bytes(std::uint16_t source, std::uint16_t destination) const {
    frame f;
    put16(f, source);
    put16(f, destination);
    put32(f, sequence);
    put32(f, acknowledgement);
    put8(f, static_cast<unsigned>((5 + options / 4) << 4U));
    put8(f, flags);
    put16(f, window);
    put_zeros(f, 4 + options);
    for (std::size_t i = 0; i < payload; ++i) put8(f, static_cast<unsigned>('a' + i % 26));
    return f;
  }
};

/// What an IPv4 header may say beside the addresses.
struct ipv4_options {
  std::size_t options = 0;  ///< bytes, a multiple of four
  unsigned fragment = 0;    ///< flags and offset
  int total_length = -1;    ///< -1: the true one
  unsigned protocol = 6;
  unsigned id = 0x1234;
  unsigned ttl = 63;
};

inline frame ipv4(const ip_address& source, const ip_address& destination, const frame& inside,
                  const ipv4_options& o = {}) {
  frame f;
  const std::size_t header = 20 + o.options;
  put8(f, static_cast<unsigned>(0x40U | (header / 4)));
  put8(f, 0);
  put16(f, o.total_length >= 0 ? static_cast<unsigned>(o.total_length)
                               : static_cast<unsigned>(header + inside.size()));
  put16(f, o.id);
  put16(f, o.fragment);
  put8(f, o.ttl);
  put8(f, o.protocol);
  put16(f, 0);
  put(f, source.bytes());
  put(f, destination.bytes());
  put_zeros(f, o.options);
  put(f, inside);
  return f;
}

/// `next` is the number of the first header in `inside`.
inline frame ipv6(const ip_address& source, const ip_address& destination, const frame& inside,
                  unsigned next = 6) {
  frame f;
  put32(f, 0x60000000U);
  put16(f, static_cast<unsigned>(inside.size()));
  put8(f, next);
  put8(f, 62);
  put(f, source.bytes());
  put(f, destination.bytes());
  put(f, inside);
  return f;
}

/// An IP packet with a segment in it.
inline frame tcp_packet(const endpoint& from, const endpoint& to, const segment& s,
                        const ipv4_options& o = {}) {
  const frame inside = s.bytes(from.port, to.port);
  return from.address.is_v6() ? ipv6(from.address, to.address, inside)
                              : ipv4(from.address, to.address, inside, o);
}

/// An ICMP (by the router's kind of address: ICMPv6) destination unreachable that
/// quotes the first `kept` bytes of a packet.
inline frame icmp_packet(const ip_address& router, const ip_address& to, unsigned code, frame quoted,
                         std::size_t kept = 548) {
  quoted.resize(std::min(quoted.size(), kept));
  frame f;
  put8(f, router.is_v6() ? 1 : 3);
  put8(f, code);
  put_zeros(f, 6);
  put(f, quoted);
  return router.is_v6() ? ipv6(router, to, f, 58) : ipv4(router, to, f, {.protocol = 1});
}

inline frame ethernet(const frame& inside, unsigned type) {
  frame f;
  put_zeros(f, 12);
  put16(f, type);
  put(f, inside);
  return f;
}
inline frame ethernet(const frame& ip) {
  const bool v6 = !ip.empty() && (std::to_integer<unsigned>(ip[0]) >> 4U) == 6;
  return ethernet(ip, v6 ? 0x86DDU : 0x0800U);
}

}  // namespace halfopen::trace::testing

#endif
