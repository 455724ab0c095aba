#ifndef HALFOPEN_SRC_LAB_NETLINK_HPP
#define HALFOPEN_SRC_LAB_NETLINK_HPP

#include <array>
#include <cstdint>
#include <string>

#include "halfopen/trace/address.hpp"

namespace halfopen::lab {

using mac_address = std::array<std::uint8_t, 6>;

/// A cable from this network namespace (outer end) to another one (inner end).
struct veth_plan {
  std::string outer_name;
  unsigned outer_index = 0;
  mac_address outer_mac{};
  int inner_namespace = -1;  ///< descriptor of the network namespace
  mac_address inner_mac{};
};

inline constexpr const char* inner_name = "eth0";
inline constexpr unsigned inner_index = 2;

/// Makes the pair; the outer end is up, the inner end still down.
void make_veth(const veth_plan& plan);

/// In the inner end's namespace: the addresses, lo and eth0 up, a default route
/// into the cable. No ARP, no neighbour discovery, no link-local address.
void configure_inner(const trace::ip_address& v4, const trace::ip_address& v6);

/// Waits until packets for the address are taken in. An IPv6 address can be bound
/// before that: its local route is made by a work queue a little later
/// (net/ipv6/addrconf.c, addrconf_dad_work), and what arrives meanwhile is lost.
void wait_until_local(const trace::ip_address& address);

/// In whatever namespace this thread is: waits until the interface can send. Its
/// carrier is taken note of by a work queue (net/core/link_watch.c); what is sent
/// before that is lost.
void wait_until_running(const std::string& interface_name);

/// In whatever namespace this thread is: segmentation and checksum offloads off,
/// so that what is captured is what would be on a wire.
void turn_offloads_off(const std::string& interface_name);

}  // namespace halfopen::lab

#endif
