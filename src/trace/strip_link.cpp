// From a frame to the IP packet in it.
//
// Between a link's header and IP there may be VLAN tags, labels, a PPP session, a second
// Ethernet header with labels before it. They come in any order and number, so each layer is
// a function that ends in calling the next, and a frame with more layers than any real one
// (unwrapping::one_more) is given up: that bounds the recursion, and the time.
//
// PcapPlusPlus and libtins read most of these too. They allocate an object a layer, and what
// is wanted here is one span: where the inner IP packet begins. Each header is given with the
// document that defines it.

#include "trace/strip_link.hpp"

#include <algorithm>

namespace halfopen::trace {
namespace {

using stripped = std::expected<bytes, decode_error>;

constexpr auto not_ip = std::unexpected{decode_error::not_ip};
constexpr auto truncated = std::unexpected{decode_error::truncated};

constexpr std::uint16_t type_ipv4 = 0x0800;
constexpr std::uint16_t type_ipv6 = 0x86DD;

stripped strip_from_type(bytes b, unwrapping& u) noexcept;
stripped strip_type(std::uint16_t type, bytes b, unwrapping& u) noexcept;
stripped strip_ppp(bytes b, unwrapping& u) noexcept;

/// What follows the first `size` bytes.
stripped after(bytes b, std::size_t size) noexcept {
  if (b.size() < size) return truncated;
  return b.subspan(size);
}

/// An IP packet by its own word.
stripped ip_by_version(bytes b) noexcept {
  if (b.empty()) return truncated;
  const auto version = octet(b, 0) >> 4U;
  if (version != 4 && version != 6) return not_ip;
  return b;
}

stripped strip_ethernet(bytes b, unwrapping& u) noexcept {
  const stripped rest = after(b, 12);
  return rest ? strip_from_type(*rest, u) : rest;
}

/// IEEE 802.2: SNAP with an EtherType, or IP's own number (RFC 1042, RFC 948).
stripped strip_llc(bytes b, unwrapping& u) noexcept {
  if (b.size() < 3) return truncated;
  if (be16(b, 0) == 0xAAAA) {
    const stripped rest = after(b, 6);
    return rest ? strip_from_type(*rest, u) : rest;
  }
  if (be16(b, 0) == 0x0606) return ip_by_version(b.subspan(3));
  return not_ip;
}

/// RFC 3032; RFC 4448 for Ethernet over MPLS, with or without its control word.
stripped strip_mpls(bytes b, unwrapping& u) noexcept {
  u.met(carrier::mpls);
  for (bool bottom = false; !bottom; b = b.subspan(4)) {
    if (b.size() < 4) return truncated;
    bottom = (octet(b, 2) & 1U) != 0;
  }
  if (b.empty()) return truncated;
  const auto nibble = octet(b, 0) >> 4U;
  if (nibble == 4 || nibble == 6) return b;
  if (nibble != 0) return strip_ethernet(b, u);
  const stripped rest = after(b, 4);
  return rest ? strip_ethernet(*rest, u) : rest;
}

/// RFC 2516: version, code, session, length; then PPP.
stripped strip_pppoe(bytes b, unwrapping& u) noexcept {
  u.met(carrier::pppoe);
  const stripped rest = after(b, 6);
  return rest ? strip_ppp(*rest, u) : rest;
}

/// RFC 1661, RFC 1662: address and control may be there, and the protocol may be one byte.
stripped strip_ppp(bytes b, unwrapping& u) noexcept {
  if (!u.one_more()) return not_ip;
  if (b.size() >= 2 && be16(b, 0) == 0xFF03) b = b.subspan(2);
  if (b.size() < 2) return truncated;
  const bool one_byte = (octet(b, 0) & 1U) != 0;
  const std::uint16_t protocol = one_byte ? octet(b, 0) : be16(b, 0);
  b = b.subspan(one_byte ? 1 : 2);
  switch (protocol) {
    case 0x0021:
    case 0x0057:
      return b;
    case 0x0281:  // MPLS unicast, multicast
    case 0x0283:
      return strip_mpls(b, u);
    case 0x0031: {  // bridged Ethernet (RFC 3518): flags, type; then the frame
      const stripped rest = after(b, 2);
      return rest ? strip_ethernet(*rest, u) : rest;
    }
    default:
      return not_ip;
  }
}

/// From the two bytes that say what follows.
stripped strip_from_type(bytes b, unwrapping& u) noexcept {
  if (b.size() < 2) return truncated;
  const std::uint16_t type = be16(b, 0);
  if (type == type_ipv4 || type == type_ipv6) return b.subspan(2);
  return strip_type(type, b.subspan(2), u);
}

stripped strip_type(std::uint16_t type, bytes b, unwrapping& u) noexcept {
  if (!u.one_more()) return not_ip;
  const auto type_after = [&](std::size_t size) {
    const stripped rest = after(b, size);
    return rest ? strip_from_type(*rest, u) : rest;
  };
  switch (type) {
    case type_ipv4:
    case type_ipv6:
      return b;
    case 0x8100:  // IEEE 802.1Q
    case 0x88A8:  // 802.1ad
    case 0x9100:  // its older, private numbers
    case 0x9200:
      return type_after(2);
    case 0x8903:  // FabricPath: two bytes of its own, then an Ethernet frame
      return type_after(2 + 12);
    case 0x88E7:  // 802.1ah (PBB): flags and service, then an Ethernet frame
      u.met(carrier::pbb);
      return type_after(4 + 12);
    case 0x8926:  // VN-Tag
      u.met(carrier::vn_tag);
      return type_after(4);
    case 0x893F:  // 802.1BR, its successor
      u.met(carrier::vn_tag);
      return type_after(6);
    case 0x8847:
    case 0x8848:
      return strip_mpls(b, u);
    case 0x8864:
      return strip_pppoe(b, u);
    case 0x880B:
      return strip_ppp(b, u);
    case 0x6558:  // an Ethernet frame (RFC 1701, RFC 7637)
      return strip_ethernet(b, u);
    case 0x88E5:  // MACsec: mostly encrypted
      u.met(carrier::encrypted);
      return not_ip;
    default:
      // Below 1536 it is the length of an 802.3 frame.
      return type < 0x600 ? strip_llc(b, u) : stripped{not_ip};
  }
}

/// Linux "cooked" captures (tcpdump -i any): the type stands last in version 1,
/// first in version 2.
stripped strip_sll(bytes b, unwrapping& u) noexcept {
  const stripped rest = after(b, 14);
  return rest ? strip_from_type(*rest, u) : rest;
}
stripped strip_sll2(bytes b, unwrapping& u) noexcept {
  if (b.size() < 20) return truncated;
  return strip_type(be16(b, 0), b.subspan(20), u);
}

/// A cooked capture of an interface without Ethernet (PPP, a tunnel): type 1 to 4 are not EtherTypes
/// (linux/if_ether.h, ETH_P_802_3, ETH_P_ALL, ETH_P_802_2).
/// IEEE 802.11 data frames that are not encrypted; of an aggregate, the first.
stripped strip_wlan(bytes b, unwrapping& u) noexcept {
  u.met(carrier::wlan);
  if (b.size() < 24) return truncated;
  const unsigned control = octet(b, 0), flags = octet(b, 1);
  const bool data = (control & 0x0CU) == 0x08U, empty = (control & 0x40U) != 0, qos = (control & 0x80U) != 0;
  if (!data || empty) return not_ip;
  if ((flags & 0x40U) != 0) {
    u.met(carrier::encrypted);
    return not_ip;
  }
  std::size_t header = (flags & 0x03U) == 0x03U ? 30 : 24;
  bool aggregate = false;
  if (qos) {
    if (b.size() < header + 2) return truncated;
    aggregate = (octet(b, header) & 0x80U) != 0;
    header += (flags & 0x80U) != 0 ? 6 : 2;  // with HT control
  }
  if (aggregate) header += 14;
  // Some drivers pad the header to a multiple of four.
  for (const std::size_t padding : {0U, 2U}) {
    const stripped rest = after(b, header + padding);
    if (!rest) return rest;
    if (rest->size() >= 3 && be16(*rest, 0) == 0xAAAA) return strip_llc(*rest, u);
  }
  return not_ip;
}

std::uint16_t le16(bytes b, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(octet(b, at) | (unsigned{octet(b, at + 1)} << 8U));
}

/// A header before the radio's frame that says its own length.
stripped strip_radiotap(bytes b, unwrapping& u) noexcept {
  if (b.size() < 4) return truncated;
  const stripped rest = after(b, le16(b, 2));
  return rest ? strip_wlan(*rest, u) : rest;
}

stripped strip_ppi(bytes b, unwrapping& u) noexcept {
  if (b.size() < 8) return truncated;
  const stripped rest = after(b, le16(b, 2));
  if (!rest) return rest;
  switch (le16(b, 4)) {
    case 1:
      return strip_ethernet(*rest, u);
    case 101:
      return ip_by_version(*rest);
    case 105:
      return strip_wlan(*rest, u);
    default:
      return not_ip;
  }
}

/// Cisco's HDLC: address, control, EtherType. What begins like PPP is PPP.
stripped strip_chdlc(bytes b, unwrapping& u) noexcept {
  if (b.size() < 4) return truncated;
  if (octet(b, 0) == 0xFF) return strip_ppp(b, u);
  return strip_from_type(b.subspan(2), u);
}

/// ITU-T Q.922 addresses of two to four bytes; RFC 2427, or Cisco's EtherType.
stripped strip_frame_relay(bytes b, unwrapping& u) noexcept {
  std::size_t address = 0;
  for (bool more = true; more && address < 4; ++address) {
    if (b.size() <= address) return truncated;
    more = (octet(b, address) & 1U) == 0;
  }
  const stripped rest = after(b, address);
  if (!rest || rest->size() < 4) return truncated;
  bytes r = *rest;
  if (octet(r, 0) != 0x03) return strip_from_type(r, u);
  std::size_t at = 1;
  if (octet(r, at) == 0) ++at;  // padding
  switch (octet(r, at)) {
    case 0xCC:  // IPv4, IPv6
    case 0x8E:
      return r.subspan(at + 1);
    case 0x80: {
      const stripped snap = after(r, at + 1 + 3);
      return snap ? strip_from_type(*snap, u) : snap;
    }
    default:
      return not_ip;
  }
}

/// Multi-link frame relay (FRF.16): a frame in one piece has both its begin and its end.
stripped strip_multilink_frame_relay(bytes b, unwrapping& u) noexcept {
  if (b.size() < 2) return truncated;
  if ((octet(b, 0) & 0xC0U) != 0xC0U) return not_ip;
  return strip_frame_relay(b.subspan(2), u);
}

/// Linux's NFLOG: attributes in the byte order of the host; the packet is one of them.
stripped strip_nflog(bytes b) noexcept {
  constexpr unsigned payload = 9;
  const stripped rest = after(b, 4);
  if (!rest) return rest;
  for (bytes r = *rest; r.size() >= 4;) {
    const bool little = le16(r, 0) >= 4 && le16(r, 0) <= r.size() && le16(r, 2) < 0x8000;
    const std::size_t size = little ? le16(r, 0) : be16(r, 0);
    const unsigned type = (little ? le16(r, 2) : be16(r, 2)) & 0x7FFFU;
    if (size < 4) return not_ip;
    if (type == payload) return ip_by_version(r.subspan(4, std::min(size, r.size()) - 4));
    const std::size_t step = (size + 3) & ~std::size_t{3};
    if (step >= r.size()) break;
    r = r.subspan(step);
  }
  return not_ip;
}

/// BSD writes 16 bytes before a SLIP packet; others do not.
stripped strip_slip(bytes b) noexcept {
  constexpr std::size_t header = 16;
  if (b.size() > header && ip_by_version(b.subspan(header))) return b.subspan(header);
  return ip_by_version(b);
}

/// SunATM: traffic type, VPI, VCI; LLC only.
stripped strip_sunatm(bytes b, unwrapping& u) noexcept {
  const stripped rest = after(b, 4);
  return rest ? strip_llc(*rest, u) : rest;
}

/// ARCNET as Linux captures it: two addresses, two bytes, the type; RFC 1201 has three bytes more, RFC 1051
/// none.
stripped strip_arcnet(bytes b) noexcept {
  if (b.size() < 5) return truncated;
  const stripped rest = after(b, octet(b, 4) == 0xD4 ? 8 : 5);
  const bool is_ip = octet(b, 4) == 0xD4 || octet(b, 4) == 0xF0;
  return rest && is_ip ? ip_by_version(*rest) : stripped{not_ip};
}

/// Juniper: "MGC", flags, perhaps an extension by its length, a cookie, then LLC or IP.
stripped strip_juniper_atm(bytes b, unwrapping& u) noexcept {
  if (b.size() < 4) return truncated;
  if (be16(b, 0) != 0x4D47 || octet(b, 2) != 0x43) return not_ip;
  std::size_t at = 4;
  if ((octet(b, 3) & 0x80U) != 0) {
    if (b.size() < 6) return truncated;
    at += 2 + std::size_t{be16(b, 4)};
  }
  for (const std::size_t cookie : {4U, 8U, 0U}) {
    const stripped rest = after(b, at + cookie);
    if (!rest || rest->size() < 3) continue;
    if (be16(*rest, 0) == 0xAAAA && octet(*rest, 2) == 3) return strip_llc(*rest, u);
    if (octet(*rest, 0) == 0x45) return *rest;
  }
  return not_ip;
}

// ---- tunnels ---------------------------------------------------------------------

/// RFC 2784, RFC 2890, PPTP's version 1 (RFC 2637); ERSPAN (draft-foschiano-erspan).
stripped strip_gre(bytes b, unwrapping& u) noexcept {
  u.met(carrier::gre);
  if (b.size() < 4) return truncated;
  const unsigned flags = be16(b, 0), type = be16(b, 2);
  const bool numbered = (flags & 0x1000U) != 0;
  const bool acks = (flags & 7U) == 1 && (flags & 0x80U) != 0;
  std::size_t header = 4;
  if ((flags & 0xC000U) != 0) header += 4;
  if ((flags & 0x2000U) != 0) header += 4;
  header += (numbered ? 4U : 0U) + (acks ? 4U : 0U);
  const stripped rest = after(b, header);
  if (!rest) return rest;
  if (type == 0x88BE) {
    u.met(carrier::erspan);
    const stripped frame = after(*rest, numbered ? 8 : 0);
    return frame ? strip_ethernet(*frame, u) : frame;
  }
  if (type == 0x22EB) {
    u.met(carrier::erspan);
    if (rest->size() < 12) return truncated;
    const stripped frame = after(*rest, (octet(*rest, 11) & 1U) != 0 ? 20 : 12);
    return frame ? strip_ethernet(*frame, u) : frame;
  }
  return strip_type(static_cast<std::uint16_t>(type), *rest, u);
}

/// RFC 7348: only the I bit, and no other, or it is something else on that port.
stripped strip_vxlan(bytes b, unwrapping& u) noexcept {
  if (b.size() < 8) return truncated;
  if ((octet(b, 0) & 0xFBU) != 0x08U) return not_ip;
  u.met(carrier::vxlan);
  const bool generic = (octet(b, 0) & 0x04U) != 0;  // VXLAN-GPE: the next protocol is said
  if (generic && (octet(b, 3) == 1 || octet(b, 3) == 2)) return b.subspan(8);
  return strip_ethernet(b.subspan(8), u);
}

/// RFC 8926.
stripped strip_geneve(bytes b, unwrapping& u) noexcept {
  if (b.size() < 8) return truncated;
  if (octet(b, 0) >> 6U != 0) return not_ip;
  u.met(carrier::geneve);
  const stripped rest = after(b, 8 + (octet(b, 0) & 0x3FU) * std::size_t{4});
  return rest ? strip_type(be16(b, 2), *rest, u) : rest;
}

/// 3GPP TS 29.281: G-PDUs of version 1.
stripped strip_gtp(bytes b, unwrapping& u) noexcept {
  if (b.size() < 8) return truncated;
  if ((octet(b, 0) & 0xF0U) != 0x30U || octet(b, 1) != 0xFF) return not_ip;
  u.met(carrier::gtp);
  std::size_t at = 8;
  if ((octet(b, 0) & 0x07U) != 0) {
    at = 12;
    if (b.size() < at) return truncated;
    for (std::uint8_t next = octet(b, 11); (octet(b, 0) & 0x04U) != 0 && next != 0;) {
      if (b.size() <= at || octet(b, at) == 0) return truncated;
      at += octet(b, at) * std::size_t{4};
      if (b.size() < at) return truncated;
      next = octet(b, at - 1);
    }
  }
  const stripped rest = after(b, at);
  return rest ? ip_by_version(*rest) : rest;
}

/// RFC 2661: data messages of version 2, which carry PPP.
stripped strip_l2tp(bytes b, unwrapping& u) noexcept {
  if (b.size() < 6) return truncated;
  const unsigned flags = be16(b, 0);
  if ((flags & 0x8000U) != 0 || (flags & 0x0FU) != 2) return not_ip;
  u.met(carrier::l2tp);
  std::size_t at = 6;
  if ((flags & 0x4000U) != 0) at += 2;
  if ((flags & 0x0800U) != 0) at += 4;
  if ((flags & 0x0200U) != 0) {
    if (b.size() < at + 2) return truncated;
    at += 2 + std::size_t{be16(b, at)};
  }
  const stripped rest = after(b, at);
  return rest ? strip_ppp(*rest, u) : rest;
}

/// RFC 5415: the data channel, not encrypted, in one piece.
stripped strip_capwap(bytes b, unwrapping& u) noexcept {
  if (b.size() < 8) return truncated;
  if (octet(b, 0) >> 4U != 0) return not_ip;
  u.met(carrier::capwap);
  if ((octet(b, 0) & 0x0FU) != 0) {
    u.met(carrier::encrypted);
    return not_ip;
  }
  const std::size_t header = (octet(b, 1) >> 3U) * std::size_t{4};
  const bool native = (octet(b, 2) & 1U) != 0, fragment = (octet(b, 3) & 0x80U) != 0;
  if (header < 8 || (fragment && be16(b, 6) >> 3U != 0)) return not_ip;
  const stripped rest = after(b, header);
  if (!rest || !native) return rest ? strip_ethernet(*rest, u) : rest;
  // Cisco's controllers swap the two bytes of frame control.
  constexpr std::size_t smallest = 24;
  if (rest->size() >= smallest && (octet(*rest, 0) & 0x0FU) != 0x08U && (octet(*rest, 1) & 0x0FU) == 0x08U) {
    const stripped llc = after(*rest, (octet(*rest, 1) & 0x80U) != 0 ? smallest + 2 : smallest);
    u.met(carrier::wlan);
    return llc ? strip_llc(*llc, u) : llc;
  }
  return strip_wlan(*rest, u);
}

/// Tunnels over UDP, by their registered port.
std::optional<stripped> strip_udp(bytes b, unwrapping& u) noexcept {
  if (b.size() < 8) return std::nullopt;
  const bytes inside = b.subspan(8);
  for (const std::uint16_t port : {be16(b, 2), be16(b, 0)}) switch (port) {
      case 1701:
        return strip_l2tp(inside, u);
      case 2152:
        return strip_gtp(inside, u);
      case 3544: {  // Teredo (RFC 4380), without its indications
        if (inside.empty() || octet(inside, 0) >> 4U != 6) return std::nullopt;
        u.met(carrier::ip_in_ip);
        return inside;
      }
      case 4789:
      case 4790:
      case 8472:  // Linux's default
        return strip_vxlan(inside, u);
      case 5247:
        return strip_capwap(inside, u);
      case 6081:
        return strip_geneve(inside, u);
      default:
        break;
    }
  return std::nullopt;
}

}  // namespace

std::expected<bytes, decode_error> strip_link(bytes frame, link type, unwrapping& u) noexcept {
  switch (type) {
    case link::ethernet:
      return strip_ethernet(frame, u);
    case link::raw_ip:
      return frame;
    case link::bsd_loopback:  // an address family in the capturing host's byte order
      return after(frame, 4);
    case link::linux_sll:
      return strip_sll(frame, u);
    case link::linux_sll2:
      return strip_sll2(frame, u);
    case link::ppp:
      return strip_ppp(frame, u);
    case link::pppoe:
      return strip_pppoe(frame, u);
    case link::ppp_with_direction: {
      const stripped rest = after(frame, 1);
      return rest ? strip_ppp(*rest, u) : rest;
    }
    case link::slip:
      return strip_slip(frame);
    case link::cisco_hdlc:
      return strip_chdlc(frame, u);
    case link::wlan:
      return strip_wlan(frame, u);
    case link::wlan_radiotap:
      return strip_radiotap(frame, u);
    case link::wlan_prism: {
      const stripped rest = after(frame, 144);
      return rest ? strip_wlan(*rest, u) : rest;
    }
    case link::ppi:
      return strip_ppi(frame, u);
    case link::frame_relay:
      return strip_frame_relay(frame, u);
    case link::multilink_frame_relay:
      return strip_multilink_frame_relay(frame, u);
    case link::atm_llc:
      return strip_llc(frame, u);
    case link::sun_atm:
      return strip_sunatm(frame, u);
    case link::arcnet_linux:
      return strip_arcnet(frame);
    case link::juniper_atm1:
      return strip_juniper_atm(frame, u);
    case link::nflog:
      return strip_nflog(frame);
    case link::fddi: {
      const stripped rest = after(frame, 13);
      return rest ? strip_llc(*rest, u) : rest;
    }
    case link::pflog: {
      if (frame.empty()) return truncated;
      const stripped rest = after(frame, (octet(frame, 0) + std::size_t{3}) & ~std::size_t{3});
      return rest ? ip_by_version(*rest) : rest;
    }
    case link::openbsd_enc: {
      const stripped rest = after(frame, 12);
      return rest ? ip_by_version(*rest) : rest;
    }
  }
  return not_ip;
}

std::optional<std::expected<bytes, decode_error>> strip_tunnel(std::uint8_t protocol, bytes payload,
                                                               unwrapping& u) noexcept {
  if (!u.one_more()) return std::nullopt;
  switch (protocol) {
    case 4:   // IPv4 (RFC 2003)
    case 41:  // IPv6 (RFC 4213, RFC 2473)
      u.met(carrier::ip_in_ip);
      return payload;
    case 17:
      return strip_udp(payload, u);
    case 47:
      return strip_gre(payload, u);
    case 50:  // ESP
      u.met(carrier::encrypted);
      return std::nullopt;
    case 51: {  // AH before what it authenticates (RFC 4302)
      if (payload.size() < 12) return stripped{truncated};
      const std::uint8_t next = octet(payload, 0);
      const stripped rest = after(payload, (octet(payload, 1) + std::size_t{2}) * 4);
      if (!rest) return rest;
      return next == 4 || next == 41 ? std::optional{rest} : strip_tunnel(next, *rest, u);
    }
    case 97: {  // Ethernet (RFC 3378)
      const stripped rest = after(payload, 2);
      return rest ? strip_ethernet(*rest, u) : rest;
    }
    case 137:  // MPLS (RFC 4023)
      return strip_mpls(payload, u);
    default:
      return std::nullopt;
  }
}

}  // namespace halfopen::trace
