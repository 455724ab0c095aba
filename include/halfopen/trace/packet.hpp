#ifndef HALFOPEN_TRACE_PACKET_HPP
#define HALFOPEN_TRACE_PACKET_HPP

/// \file
/// From the bytes of a captured frame to what TCP's endings need to know of it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "halfopen/trace/address.hpp"

namespace halfopen::trace {

/// Wall-clock time of a packet, as a capture file stores it.
using time_point = std::chrono::sys_time<std::chrono::nanoseconds>;

/// How the captured bytes begin (the numbers are pcap's LINKTYPE_ values).
enum class link : std::uint16_t {
  bsd_loopback = 0,  ///< four bytes of address family (LINKTYPE_NULL)
  ethernet = 1,
  slip = 8,
  ppp = 9,
  fddi = 10,
  pppoe = 51,
  atm_llc = 100,
  raw_ip = 101,
  cisco_hdlc = 104,
  wlan = 105,
  frame_relay = 107,
  openbsd_enc = 109,
  linux_sll = 113,  ///< tcpdump -i any, and its second version
  pflog = 117,
  wlan_prism = 119,
  sun_atm = 123,
  wlan_radiotap = 127,
  arcnet_linux = 129,
  juniper_atm1 = 137,
  multilink_frame_relay = 182,
  ppi = 192,
  ppp_with_direction = 204,
  nflog = 239,
  linux_sll2 = 276,
};

/// What a packet was carried in, beside its link.
enum class carrier : std::uint8_t {
  mpls,
  pbb,
  vn_tag,
  pppoe,
  wlan,
  gre,
  erspan,
  vxlan,
  geneve,
  gtp,
  l2tp,
  capwap,
  ip_in_ip,   ///< IPv4 or IPv6 in either, Teredo too
  encrypted,  ///< ESP, MACsec, WPA, DTLS: what is in it is not read
};
constexpr std::size_t carriers = 14;
[[nodiscard]] std::string_view to_string(carrier c) noexcept;

/// TCP's flags, by their bit in the header (RFC 9293 section 3.1).
enum tcp_flag : std::uint8_t { fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10, urg = 0x20 };

/// What is spoken over a connection, where its first bytes make that sure.
enum class protocol : std::uint8_t {
  unknown,
  tls,
  http,
  http2,  ///< without TLS
  ssh,
  smtp,
  ftp,
  imap,
  pop3,
  mysql,
  postgresql,
  redis,
  mongodb,
  amqp,
  mqtt,
  smb,
  rdp,
  bgp,
  sip,
  rtsp,
};
constexpr std::size_t protocols = 20;
[[nodiscard]] std::string_view to_string(protocol p) noexcept;

/// A TCP segment's header and where its payload is.
struct tcp_segment {
  endpoint source;
  endpoint destination;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;  ///< meaningful only with the ack flag
  std::uint16_t window = 0;           ///< as it stands in the header, unscaled
  std::uint8_t flags = 0;             ///< tcp_flag bits
  std::uint16_t checksum = 0;         ///< not verified; it tells copies of a packet from others
  bool has_options = false;
  protocol says = protocol::unknown;   ///< what the payload begins with; set by whoever looks into it
  std::uint32_t name = 0;              ///< which name that calls the other side by, as its setter counts them
  std::uint32_t length = 0;            ///< payload bytes on the wire, by the IP header
  std::span<const std::byte> payload;  ///< those of them that were captured; lives as long as the frame

  [[nodiscard]] bool has(std::uint8_t wanted) const noexcept { return (flags & wanted) == wanted; }
  [[nodiscard]] bool has_any(std::uint8_t wanted) const noexcept { return (flags & wanted) != 0; }
};

/// What an ICMP or ICMPv6 destination-unreachable message says cannot be reached
/// (RFC 792, RFC 4443 section 3.1).
enum class unreachable : std::uint8_t { none, net, host, port, admin_prohibited, other };

/// One packet. A value; the payload span alone refers to the frame's bytes.
struct packet {
  enum class kind : std::uint8_t {
    other,  ///< not TCP, nor an ICMP error about TCP: a tracker ignores it
    tcp,    ///< `tcp` is the segment
    icmp,   ///< an ICMP unreachable: `tcp` is the quoted segment (ports and sequence number only)
  };

  std::uint64_t number = 0;  ///< place in the capture, counted from 1 as Wireshark counts
  time_point when{};
  kind what = kind::other;
  unreachable icmp = unreachable::none;
  std::uint8_t ttl = 0;          ///< IPv4 TTL or IPv6 hop limit
  std::uint16_t ip_id = 0;       ///< IPv4 identification; 0 for IPv6
  std::uint32_t carried_in = 0;  ///< a bit for each `carrier`; set after an error too
  /// Of a fragmented IP packet: that fragment as it stands, from its IP header on; empty otherwise.
  /// The first is read as if nothing followed it, the others are kind::other. See defragmenter.
  std::span<const std::byte> fragment;
  std::span<const std::byte> datagram;  ///< of UDP from port 53 (DNS) or 5353: its payload
  ip_address source;                    ///< of the outer IP header: for icmp, the router's
  ip_address destination;
  tcp_segment tcp;
};

/// Why bytes could not be read as a packet.
enum class decode_error : std::uint8_t {
  truncated,   ///< the frame ends inside a header
  not_ip,      ///< another protocol, or an unknown IP version
  bad_length,  ///< a length field contradicts the frame
};
[[nodiscard]] std::string_view to_string(decode_error e) noexcept;

/// Reads one frame. `number` and `when` are copied into the result. Every byte
/// is taken for hostile: no read outside `frame`, no allocation.
/// A well-formed packet that is neither TCP nor ICMP unreachable is kind::other.
/// Checksums are not verified. Thread-safe.
[[nodiscard]] std::expected<packet, decode_error> decode(std::span<const std::byte> frame, link type,
                                                         std::uint64_t number, time_point when) noexcept;

/// The same into a packet that is there already, for a caller who reads millions. After an
/// error the packet is worth nothing but for `carried_in`.
[[nodiscard]] std::expected<void, decode_error> decode_into(packet& p, std::span<const std::byte> frame,
                                                            link type, std::uint64_t number,
                                                            time_point when) noexcept;

}  // namespace halfopen::trace

#endif
