// What boxes between two hosts do to TCP: they change what it says, and speak in its name.
//
// Lowering the maximum segment size is done in place, the checksum by its difference
// (RFC 1624): a packet parsed and written anew by libtins could come out another one,
// its options in another order, and a SYN is looked at more closely than any other packet.
//
// A segment is cut as a box does that splits segments (or a sender with a smaller window): what is
// left is a segment of its own, with lengths and checksums of its own, and its options unchanged.
//
// A firewall or address translator that has forgotten a connection, as they do after an
// idle time (RFC 5382 section 5: not before two hours and four minutes; many do after minutes),
// either drops its segments or answers them itself. Its RST is made as Linux makes the one
// for a segment of no socket (net/ipv4/tcp_ipv4.c, tcp_v4_send_reset): window 0, no
// options, don't fragment, and no IP identification. So its receiver and a capture see the
// same as after a reboot of the other host, and that is the point of it.

#include "lab/middlebox.hpp"

#include <tins/tins.h>

#include <algorithm>

namespace halfopen::lab {
namespace {

constexpr std::size_t ethernet_header = 14;
constexpr std::size_t tcp_header = 20;
constexpr std::size_t tcp_sequence = 4;
constexpr std::size_t tcp_flags = 13;
constexpr std::size_t tcp_checksum = 16;

std::uint8_t octet(std::span<const std::byte> b, std::size_t at) {
  return std::to_integer<std::uint8_t>(b[at]);
}

std::uint16_t word(std::span<const std::byte> b, std::size_t at) {
  return static_cast<std::uint16_t>(octet(b, at) << 8 | octet(b, at + 1));
}

void put_word(std::span<std::byte> b, std::size_t at, std::uint16_t value) {
  b[at] = static_cast<std::byte>(value >> 8);
  b[at + 1] = static_cast<std::byte>(value & 0xff);
}

/// The TCP header with its options; empty if the frame is nothing of the kind.
std::span<std::byte> tcp_header_of(std::span<std::byte> frame) {
  if (frame.size() < ethernet_header + 1) return {};
  const auto ip = frame.subspan(ethernet_header);
  const bool v6 = octet(ip, 0) >> 4 == 6;
  const std::size_t length = v6 ? 40 : (octet(ip, 0) & 0xfU) * 4U;
  if (ip.size() < length + tcp_header || octet(ip, v6 ? 6 : 9) != IPPROTO_TCP) return {};
  const auto tcp = ip.subspan(length);
  const std::size_t whole = (octet(tcp, 12) >> 4) * 4U;
  return whole >= tcp_header && whole <= tcp.size() ? tcp.first(whole) : std::span<std::byte>{};
}

/// Where the value of the option is that offers a segment size (RFC 9293 section 3.2);
/// 0 if there is none.
std::size_t find_mss(std::span<const std::byte> tcp) {
  constexpr std::uint8_t end = 0, padding = 1, mss = 2;
  for (std::size_t at = tcp_header; at + 3 < tcp.size();) {
    const std::uint8_t kind = octet(tcp, at);
    if (kind == end) return 0;
    if (kind == mss && octet(tcp, at + 1) == 4) return at + 2;
    at += kind == padding ? 1 : std::max<std::size_t>(octet(tcp, at + 1), 2);
  }
  return 0;
}

/// RFC 1624, equation 3: one word of what is summed up became another one. A value that
/// begins at an odd place lies in two words, and adds to the sum with its bytes swapped.
std::uint16_t updated(std::uint16_t checksum, std::uint16_t before, std::uint16_t now, bool odd) {
  const auto as_summed = [odd](std::uint16_t w) {
    return static_cast<std::uint16_t>(odd ? w << 8 | w >> 8 : w);
  };
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
  sum += static_cast<std::uint16_t>(~as_summed(before));
  sum += as_summed(now);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// Adds up the words of what a checksum covers (RFC 1071); an odd byte is a word's first half.
std::uint32_t summed(std::span<const std::byte> covered, std::uint32_t sum) {
  for (std::size_t at = 0; at + 1 < covered.size(); at += 2) sum += word(covered, at);
  if (covered.size() % 2 != 0) sum += static_cast<std::uint32_t>(octet(covered, covered.size() - 1) << 8);
  return sum;
}

std::uint16_t checksum_of(std::uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// Makes lengths and checksums those of a packet with so long an IP header that ends where its
/// bytes end.
void set_lengths(std::span<std::byte> ip, std::size_t header) {
  const bool v6 = octet(ip, 0) >> 4 == 6;
  const auto tcp = ip.subspan(header);
  if (v6) {
    put_word(ip, 4, static_cast<std::uint16_t>(tcp.size()));
  } else {
    put_word(ip, 2, static_cast<std::uint16_t>(ip.size()));
    put_word(ip, 10, 0);
    put_word(ip, 10, checksum_of(summed(ip.first(header), 0)));
  }
  const auto addresses = v6 ? ip.subspan(8, 32) : ip.subspan(12, 8);
  put_word(tcp, tcp_checksum, 0);
  const auto pseudo_header = summed(addresses, IPPROTO_TCP + static_cast<std::uint32_t>(tcp.size()));
  put_word(tcp, tcp_checksum, checksum_of(summed(tcp, pseudo_header)));
}

/// What it takes up of the sequence (RFC 9293 section 3.4).
std::uint32_t sequence_length(const trace::tcp_segment& t) {
  return t.length + (t.has(trace::syn) ? 1U : 0U) + (t.has(trace::fin) ? 1U : 0U);
}

/// RFC 9293 section 3.10.7.1.
Tins::TCP reset_to(const trace::tcp_segment& t) {
  Tins::TCP rst(t.source.port, t.destination.port);
  rst.window(0);
  rst.set_flag(Tins::TCP::RST, 1);
  if (t.has(trace::ack)) {
    rst.seq(t.acknowledgement);
  } else {
    rst.set_flag(Tins::TCP::ACK, 1);
    rst.ack_seq(t.sequence + sequence_length(t));
  }
  return rst;
}

std::vector<std::byte> bytes_of(Tins::EthernetII frame) {
  const auto raw = frame.serialize();
  const auto bytes = std::as_bytes(std::span(raw));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

void clamp_mss(std::span<std::byte> ethernet_frame, std::uint16_t most) noexcept {
  const auto tcp = tcp_header_of(ethernet_frame);
  if (tcp.empty() || (octet(tcp, tcp_flags) & trace::syn) == 0) return;
  const std::size_t at = find_mss(tcp);
  if (at == 0 || word(tcp, at) <= most) return;
  put_word(tcp, tcp_checksum, updated(word(tcp, tcp_checksum), word(tcp, at), most, at % 2 != 0));
  put_word(tcp, at, most);
}

std::vector<std::byte> first_part(const trace::packet& segment, std::span<const std::byte> ethernet_frame,
                                  std::size_t bytes) {
  if (segment.what != trace::packet::kind::tcp || bytes >= segment.tcp.length) return {};
  std::vector<std::byte> part(ethernet_frame.begin(), ethernet_frame.end());
  const auto tcp = tcp_header_of(part);
  if (tcp.empty()) return {};
  const auto header = static_cast<std::size_t>(tcp.data() - part.data());
  const std::size_t length = header + tcp.size() + bytes;
  if (length > part.size()) return {};
  tcp[tcp_flags] &= ~std::byte{trace::fin | trace::psh};
  part.resize(length);
  set_lengths(std::span(part).subspan(ethernet_header), header - ethernet_header);
  return part;
}

std::vector<std::byte> last_part(const trace::packet& segment, std::span<const std::byte> ethernet_frame,
                                 std::size_t delivered) {
  if (segment.what != trace::packet::kind::tcp || delivered >= segment.tcp.length) return {};
  std::vector<std::byte> part(ethernet_frame.begin(), ethernet_frame.end());
  const auto tcp = tcp_header_of(part);
  if (tcp.empty()) return {};
  const auto header = static_cast<std::size_t>(tcp.data() - part.data());
  const std::size_t payload = header + tcp.size();
  if (payload + segment.tcp.length > part.size()) return {};
  const auto sequence = segment.tcp.sequence + static_cast<std::uint32_t>(delivered);
  put_word(tcp, tcp_sequence, static_cast<std::uint16_t>(sequence >> 16U));
  put_word(tcp, tcp_sequence + 2, static_cast<std::uint16_t>(sequence & 0xffffU));
  part.resize(payload + segment.tcp.length);  // Ethernet pads what is short
  part.erase(part.begin() + static_cast<std::ptrdiff_t>(payload),
             part.begin() + static_cast<std::ptrdiff_t>(payload + delivered));
  set_lengths(std::span(part).subspan(ethernet_header), header - ethernet_header);
  return part;
}

std::vector<std::byte> reset_answer(const trace::packet& segment) {
  if (segment.what != trace::packet::kind::tcp || segment.tcp.has(trace::rst)) return {};
  const std::string sender = segment.source.to_string();
  const std::string receiver = segment.destination.to_string();
  if (segment.source.is_v6()) {
    Tins::IPv6 ip(sender, receiver);
    ip.hop_limit(64);
    return bytes_of(Tins::EthernetII() / ip / reset_to(segment.tcp));
  }
  Tins::IP ip(sender, receiver);
  ip.ttl(64);
  ip.id(0);
  ip.flags(Tins::IP::DONT_FRAGMENT);
  return bytes_of(Tins::EthernetII() / ip / reset_to(segment.tcp));
}

}  // namespace halfopen::lab
