// From a captured frame to a packet.
//
// The frame's bytes come from a file that anybody may have written, so every
// step here works on a span that it has measured first, and no offset is kept
// across steps. libtins and libpcap's BPF were the alternatives: the first
// allocates an object a layer, which at ten million packets is most of the
// running time, the second filters but does not decode.
//
// Three facts shape the code:
// - A frame may be longer than its packet: Ethernet pads to 60 bytes, so the
//   payload's length is the IP header's word and not the frame's.
// - It may be shorter: a capture keeps the first bytes of a packet ("snaplen").
//   The headers have to be there; the payload may be cut, and `length` still
//   tells how long it was.
// - IPv4's total length (IPv6's payload length) is 0 in packets that the kernel
//   hands to a network card to cut into segments (TSO of more than 64 KiB, Linux
//   include/net/ip.h iph_set_totlen; RFC 2675 for jumbograms): only then does the
//   frame's length count.

#include <algorithm>
#include <array>

#include "halfopen/trace/packet.hpp"
#include "trace/strip_link.hpp"

namespace halfopen::trace {
namespace {

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_icmpv6 = 58;
constexpr std::size_t tcp_header_size = 20;
constexpr std::size_t icmp_header_size = 8;

/// An IP packet, its headers read.
struct ip_packet {
  ip_address source;
  ip_address destination;
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 0;
  std::uint16_t id = 0;
  bool later_fragment = false;  ///< no TCP header can be in it
  bool more_fragments = false;
  std::size_t length = 0;  ///< bytes after the IP headers, on the wire
  bytes payload;           ///< those of them that were captured

  [[nodiscard]] bool cut() const noexcept { return payload.size() < length; }
};
using done = std::expected<void, decode_error>;

/// What follows a header of `header` bytes in a packet of `total` bytes.
void set_payload(ip_packet& ip, bytes packet_bytes, std::size_t header, std::size_t total) noexcept {
  const bytes rest = packet_bytes.subspan(header);
  ip.length = total - header;
  ip.payload = rest.first(std::min(rest.size(), ip.length));
}

done read_ipv4(bytes b, ip_packet& ip) noexcept {
  constexpr std::size_t smallest = 20;
  if (b.size() < smallest) return std::unexpected{decode_error::truncated};
  const std::size_t header = (octet(b, 0) & 0x0FU) * std::size_t{4};
  if (header < smallest) return std::unexpected{decode_error::bad_length};
  if (b.size() < header) return std::unexpected{decode_error::truncated};
  const std::size_t stated = be16(b, 2);
  const std::size_t total = stated == 0 ? b.size() : stated;
  if (total < header) return std::unexpected{decode_error::bad_length};

  ip.source = ip_address{b.subspan(12, 4)};
  ip.destination = ip_address{b.subspan(16, 4)};
  ip.protocol = octet(b, 9);
  ip.ttl = octet(b, 8);
  ip.id = be16(b, 4);
  ip.later_fragment = (be16(b, 6) & 0x1FFFU) != 0;
  ip.more_fragments = (be16(b, 6) & 0x2000U) != 0;
  set_payload(ip, b, header, total);
  return {};
}

constexpr std::uint8_t extension_fragment = 44;
constexpr std::uint8_t extension_authentication = 51;

/// Whether an IPv6 next-header number is an extension that can be skipped.
/// Encryption (50) and "no next header" (59) end the chain.
bool is_extension(std::uint8_t number) noexcept {
  constexpr std::array<std::uint8_t, 8> all{0,   43, extension_fragment, extension_authentication, 60, 135,
                                            139, 140};
  return std::ranges::find(all, number) != all.end();
}

/// The size of the extension header at the beginning of `b` (at least two bytes):
/// RFC 8200 sections 4.2 and 4.5, RFC 4302 section 2.2.
std::size_t extension_size(std::uint8_t number, bytes b) noexcept {
  if (number == extension_fragment) return 8;
  if (number == extension_authentication) return (octet(b, 1) + std::size_t{2}) * 4;
  return (octet(b, 1) + std::size_t{1}) * 8;
}

/// Leaves the extension headers behind. Each takes at least eight bytes away,
/// so a chain is never longer than the frame.
done skip_extensions(ip_packet& ip) noexcept {
  constexpr std::size_t smallest = 8;
  while (!ip.later_fragment && is_extension(ip.protocol)) {
    if (ip.length < smallest) return std::unexpected{decode_error::bad_length};
    if (ip.payload.size() < smallest) return std::unexpected{decode_error::truncated};
    const std::size_t size = extension_size(ip.protocol, ip.payload);
    if (ip.length < size) return std::unexpected{decode_error::bad_length};
    if (ip.payload.size() < size) return std::unexpected{decode_error::truncated};
    if (ip.protocol == extension_fragment) {
      ip.later_fragment = (be16(ip.payload, 2) & 0xFFF8U) != 0;
      ip.more_fragments = (be16(ip.payload, 2) & 1U) != 0;
    }
    ip.protocol = octet(ip.payload, 0);
    ip.payload = ip.payload.subspan(size);
    ip.length -= size;
  }
  return {};
}

done read_ipv6(bytes b, ip_packet& ip) noexcept {
  constexpr std::size_t header = 40;
  if (b.size() < header) return std::unexpected{decode_error::truncated};
  const std::size_t stated = be16(b, 4);
  ip.source = ip_address{b.subspan(8, 16)};
  ip.destination = ip_address{b.subspan(24, 16)};
  ip.protocol = octet(b, 6);
  ip.ttl = octet(b, 7);
  set_payload(ip, b, header, stated == 0 ? b.size() : header + stated);
  return skip_extensions(ip);
}

/// Into `ip`, which is worth nothing after an error.
done read_ip(bytes b, ip_packet& ip) noexcept {
  if (b.empty()) return std::unexpected{decode_error::truncated};
  switch (octet(b, 0) >> 4U) {
    case 4:
      return read_ipv4(b, ip);
    case 6:
      return read_ipv6(b, ip);
    default:
      return std::unexpected{decode_error::not_ip};
  }
}

/// Ports and sequence number: what the first eight bytes of a segment hold.
void read_ports(tcp_segment& tcp, const ip_packet& ip) noexcept {
  tcp.source.address = ip.source;
  tcp.source.port = be16(ip.payload, 0);
  tcp.destination.address = ip.destination;
  tcp.destination.port = be16(ip.payload, 2);
  tcp.sequence = be32(ip.payload, 4);
}

done read_tcp(packet& p, const ip_packet& ip) noexcept {
  if (ip.length < tcp_header_size) return std::unexpected{decode_error::bad_length};
  if (ip.payload.size() < tcp_header_size) return std::unexpected{decode_error::truncated};
  const std::size_t header = (octet(ip.payload, 12) >> 4U) * std::size_t{4};
  if (header < tcp_header_size || header > ip.length) return std::unexpected{decode_error::bad_length};

  p.what = packet::kind::tcp;
  read_ports(p.tcp, ip);
  p.tcp.acknowledgement = be32(ip.payload, 8);
  p.tcp.flags = octet(ip.payload, 13);
  p.tcp.window = be16(ip.payload, 14);
  p.tcp.checksum = be16(ip.payload, 16);
  p.tcp.has_options = header > tcp_header_size;
  p.tcp.length = static_cast<std::uint32_t>(ip.length - header);
  // A short snaplen may cut the options, of which nothing is wanted.
  p.tcp.payload = ip.payload.subspan(std::min(header, ip.payload.size()));
  return {};
}

/// RFC 792 and RFC 1812 section 5.2.7.1, sorted by the errno that Linux makes of
/// each (icmp_err_convert in net/ipv4/icmp.c): code 9 says "prohibited", yet is
/// ENETUNREACH there. Code 4, "fragmentation needed", is no verdict on the peer.
unreachable icmp_code(std::uint8_t code) noexcept {
  switch (code) {
    case 0:
    case 6:
    case 9:
    case 11:
      return unreachable::net;
    case 1:
    case 7:
    case 12:
      return unreachable::host;
    case 3:
      return unreachable::port;
    case 10:
    case 13:
      return unreachable::admin_prohibited;
    default:
      return unreachable::other;
  }
}

/// RFC 4443 section 3.1; tab_unreach in Linux's net/ipv6/icmp.c.
unreachable icmpv6_code(std::uint8_t code) noexcept {
  switch (code) {
    case 0:
      return unreachable::net;
    case 2:
    case 3:
      return unreachable::host;
    case 4:
      return unreachable::port;
    case 1:
    case 5:
    case 6:
      return unreachable::admin_prohibited;
    default:
      return unreachable::other;
  }
}

/// An unreachable message about TCP quotes the IP header and at least the first
/// eight bytes after it. A quote that is too short leaves the packet kind::other,
/// unless the capture cut it.
done read_icmp(packet& p, const ip_packet& ip) noexcept {
  if (ip.length < icmp_header_size) return std::unexpected{decode_error::bad_length};
  if (ip.payload.size() < icmp_header_size) return std::unexpected{decode_error::truncated};
  const bool v6 = ip.protocol == protocol_icmpv6;
  if (octet(ip.payload, 0) != (v6 ? 1 : 3)) return {};

  ip_packet quoted;
  const bool is_ip = read_ip(ip.payload.subspan(icmp_header_size), quoted).has_value();
  const bool readable = is_ip && (quoted.payload.size() >= 8 || quoted.protocol != protocol_tcp);
  if (!readable && ip.cut()) return std::unexpected{decode_error::truncated};
  if (!readable || quoted.protocol != protocol_tcp || quoted.later_fragment) return {};

  const std::uint8_t code = octet(ip.payload, 1);
  p.what = packet::kind::icmp;
  p.icmp = v6 ? icmpv6_code(code) : icmp_code(code);
  read_ports(p.tcp, quoted);
  return {};
}

/// Answers alone: of whom else's datagrams nothing is wanted.
void read_udp(packet& p, const ip_packet& ip) noexcept {
  constexpr std::size_t header = 8;
  constexpr std::uint16_t dns = 53, multicast_dns = 5353;
  if (ip.payload.size() <= header) return;
  const std::uint16_t from = be16(ip.payload, 0);
  if (from == dns || from == multicast_dns) p.datagram = ip.payload.subspan(header);
}

done read_transport(packet& p, const ip_packet& ip) noexcept {
  if (ip.later_fragment) return {};
  switch (ip.protocol) {
    case protocol_tcp:
      return read_tcp(p, ip);
    case protocol_icmp:
      return ip.source.is_v6() ? done{} : read_icmp(p, ip);
    case protocol_icmpv6:
      return ip.source.is_v6() ? read_icmp(p, ip) : done{};
    case protocol_udp:
      read_udp(p, ip);
      return {};
    default:
      return {};
  }
}

}  // namespace

std::string_view to_string(decode_error e) noexcept {
  switch (e) {
    case decode_error::truncated:
      return "the frame ends inside a header";
    case decode_error::not_ip:
      return "not an IP packet";
    case decode_error::bad_length:
      return "a length field contradicts the frame";
  }
  return "?";
}

std::string_view to_string(carrier c) noexcept {
  constexpr std::array<std::string_view, carriers> names{
      "MPLS",  "PBB (802.1ah)", "VN-Tag", "PPPoE", "802.11", "GRE",      "ERSPAN",
      "VXLAN", "Geneve",        "GTP-U",  "L2TP",  "CAPWAP", "IP in IP", "an encrypted tunnel"};
  return names[static_cast<std::size_t>(c)];
}

std::expected<void, decode_error> decode_into(packet& p, std::span<const std::byte> frame, link type,
                                              std::uint64_t number, time_point when) noexcept {
  unwrapping so_far;
  auto inner = strip_link(frame, type, so_far);
  ip_packet ip;
  p.what = packet::kind::other;
  p.fragment = {};
  p.datagram = {};
  for (;;) {
    p.carried_in = so_far.carriers;
    if (!inner) return std::unexpected{inner.error()};
    ip = {};
    if (const auto read = read_ip(*inner, ip); !read) return read;
    if (ip.later_fragment || ip.more_fragments) [[unlikely]] {
      // IPv6's payload begins behind the extension headers, of which the first fragment's are kept.
      const auto end = static_cast<std::size_t>(ip.payload.data() - inner->data()) + ip.payload.size();
      p.fragment = inner->first(end);
      break;
    }
    if (ip.protocol == protocol_tcp) [[likely]]
      break;
    const auto inside = strip_tunnel(ip.protocol, ip.payload, so_far);
    p.carried_in = so_far.carriers;
    if (!inside) break;
    inner = *inside;
  }

  p.number = number;
  p.when = when;
  p.icmp = unreachable::none;
  p.ttl = ip.ttl;
  p.ip_id = ip.id;
  p.source = ip.source;
  p.destination = ip.destination;
  p.tcp = {};
  return read_transport(p, ip);
}

std::expected<packet, decode_error> decode(std::span<const std::byte> frame, link type, std::uint64_t number,
                                           time_point when) noexcept {
  packet p;
  if (const auto read = decode_into(p, frame, type, number, when); !read)
    return std::unexpected{read.error()};
  return p;
}

}  // namespace halfopen::trace
