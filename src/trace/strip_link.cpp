// From a frame to the IP packet in it.
//
// Between the Ethernet header and IP there may be VLAN tags (IEEE 802.1Q, two of
// them with 802.1ad), a PPPoE session (RFC 2516) or, where a capture was taken
// inside a data centre's fabric, Cisco FabricPath around a second Ethernet
// header. They come in any order and number, so this is a loop, and since each
// turn takes at least two bytes away it ends with the frame.

#include "trace/strip_link.hpp"

namespace halfopen::trace {
namespace {

constexpr std::uint16_t type_ipv4 = 0x0800;
constexpr std::uint16_t type_ipv6 = 0x86DD;

using stripped = std::expected<bytes, decode_error>;

/// What follows the first `size` bytes.
stripped after(bytes b, std::size_t size) noexcept {
  if (b.size() < size) return std::unexpected{decode_error::truncated};
  return b.subspan(size);
}

/// PPPoE: version, code, session, length; then PPP's own protocol number.
stripped strip_pppoe(bytes b) noexcept {
  constexpr std::size_t header = 6;
  constexpr std::uint16_t ppp_ipv4 = 0x0021, ppp_ipv6 = 0x0057;
  if (b.size() < header + 2) return std::unexpected{decode_error::truncated};
  const std::uint16_t protocol = be16(b, header);
  if (protocol != ppp_ipv4 && protocol != ppp_ipv6) return std::unexpected{decode_error::not_ip};
  return b.subspan(header + 2);
}

/// From the two bytes that say what follows.
stripped strip_from_type(bytes b) noexcept {
  constexpr std::size_t two_addresses = 12;
  while (b.size() >= 2) {
    const std::uint16_t type = be16(b, 0);
    b = b.subspan(2);
    std::size_t skip = 0;
    switch (type) {
      case type_ipv4:
      case type_ipv6:
        return b;
      case 0x8100:  // 802.1Q
      case 0x88A8:  // 802.1ad
      case 0x9100:  // its older, private number
        skip = 2;
        break;
      case 0x8903:  // FabricPath: two bytes of its own, then an Ethernet frame
        skip = 2 + two_addresses;
        break;
      case 0x8864:
        return strip_pppoe(b);
      default:
        return std::unexpected{decode_error::not_ip};
    }
    if (b.size() < skip) break;
    b = b.subspan(skip);
  }
  return std::unexpected{decode_error::truncated};
}

/// Linux "cooked" captures (tcpdump -i any): the type stands last in version 1,
/// first in version 2.
stripped strip_sll(bytes b) noexcept {
  const stripped rest = after(b, 14);
  return rest ? strip_from_type(*rest) : rest;
}
stripped strip_sll2(bytes b) noexcept {
  if (b.size() < 20) return std::unexpected{decode_error::truncated};
  const std::uint16_t type = be16(b, 0);
  if (type == type_ipv4 || type == type_ipv6) return b.subspan(20);
  if (type != 0x8100 && type != 0x88A8) return std::unexpected{decode_error::not_ip};
  const stripped rest = after(b, 22);  // the tag's two bytes; the type follows
  return rest ? strip_from_type(*rest) : rest;
}

}  // namespace

std::expected<bytes, decode_error> strip_link(bytes frame, link type) noexcept {
  switch (type) {
    case link::ethernet: {
      const stripped rest = after(frame, 12);
      return rest ? strip_from_type(*rest) : rest;
    }
    case link::raw_ip:
      return frame;
    case link::bsd_loopback:  // an address family in the capturing host's byte order
      return after(frame, 4);
    case link::linux_sll:
      return strip_sll(frame);
    case link::linux_sll2:
      return strip_sll2(frame);
  }
  return std::unexpected{decode_error::not_ip};
}

}  // namespace halfopen::trace
