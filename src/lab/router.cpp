// The router between the hosts speaks only when a packet cannot be delivered.
// libtins makes the packet (lengths, checksums, the ICMPv6 pseudo header).
//
// It quotes the IP header and the first 64 bytes after it. RFC 792 asks for 8,
// RFC 1812 section 4.3.2.3 for as much as fits; Linux needs the ports and the
// sequence number to find the connection (net/ipv4/tcp_ipv4.c, tcp_v4_err).

#include "lab/router.hpp"

#include <tins/tins.h>

#include <algorithm>
#include <exception>

namespace halfopen::lab {
namespace {

constexpr std::size_t ethernet_header = 14;
constexpr std::size_t quoted_payload = 64;

std::vector<std::byte> bytes_of(Tins::EthernetII& frame) {
  const auto raw = frame.serialize();
  std::vector<std::byte> out(raw.size());
  std::ranges::transform(raw, out.begin(), [](std::uint8_t b) { return std::byte{b}; });
  return out;
}

Tins::RawPDU quote(std::span<const std::byte> packet, std::size_t ip_header) {
  const std::size_t length = std::min(packet.size(), ip_header + quoted_payload);
  return {reinterpret_cast<const std::uint8_t*>(packet.data()), static_cast<std::uint32_t>(length)};
}

std::vector<std::byte> answer_v4(const Tins::IP& ip, std::span<const std::byte> packet,
                                 const std::string& router, unreachable_kind what) {
  Tins::ICMP icmp(Tins::ICMP::DEST_UNREACHABLE);
  icmp.code(what == unreachable_kind::host ? 1 : 0);  // host, net unreachable
  Tins::EthernetII frame =
      Tins::EthernetII() / Tins::IP(ip.src_addr(), router) / icmp / quote(packet, ip.header_size());
  frame.rfind_pdu<Tins::IP>().ttl(64);
  return bytes_of(frame);
}

std::vector<std::byte> answer_v6(const Tins::IPv6& ip, std::span<const std::byte> packet,
                                 const std::string& router, unreachable_kind what) {
  Tins::ICMPv6 icmp(Tins::ICMPv6::DEST_UNREACHABLE);
  // No route becomes ENETUNREACH, address unreachable EHOSTUNREACH
  // (net/ipv6/icmp.c, tab_unreach).
  icmp.code(what == unreachable_kind::host ? 3 : 0);
  Tins::EthernetII frame = Tins::EthernetII() / Tins::IPv6(ip.src_addr(), router) / icmp / quote(packet, 40);
  frame.rfind_pdu<Tins::IPv6>().hop_limit(64);
  return bytes_of(frame);
}

}  // namespace

std::vector<std::byte> unreachable_answer(std::span<const std::byte> frame, const trace::ip_address& router,
                                          unreachable_kind what) {
  if (frame.size() < ethernet_header) return {};
  const auto packet = frame.subspan(ethernet_header);
  try {
    const Tins::EthernetII parsed(reinterpret_cast<const std::uint8_t*>(frame.data()),
                                  static_cast<std::uint32_t>(frame.size()));
    if (parsed.find_pdu<Tins::ICMP>() != nullptr || parsed.find_pdu<Tins::ICMPv6>() != nullptr) return {};
    if (const auto* ip = parsed.find_pdu<Tins::IP>()) return answer_v4(*ip, packet, router.to_string(), what);
    if (const auto* ip = parsed.find_pdu<Tins::IPv6>())
      return answer_v6(*ip, packet, router.to_string(), what);
  } catch (const std::exception&) {  // libtins reports a malformed packet so
  }
  return {};
}

}  // namespace halfopen::lab
