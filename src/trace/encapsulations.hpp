#ifndef HALFOPEN_SRC_TRACE_ENCAPSULATIONS_HPP
#define HALFOPEN_SRC_TRACE_ENCAPSULATIONS_HPP

/// One SYN in everything that decode() takes off, byte by byte. Test-only.

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "trace/packet_builder.hpp"

namespace halfopen::trace::testing {

struct encapsulation {
  std::string name;
  link type = link::ethernet;
  frame bytes;
  std::vector<carrier> carriers{};
};

inline frame of(std::initializer_list<unsigned> values) {
  frame f;
  for (const unsigned v : values) put8(f, v);
  return f;
}
inline frame operator+(frame a, const frame& b) {
  put(a, b);
  return a;
}

inline frame udp(unsigned port, const frame& inside) {
  frame f;
  put16(f, 50'000);
  put16(f, port);
  put16(f, static_cast<unsigned>(8 + inside.size()));
  put16(f, 0);
  return f + inside;
}

inline std::vector<encapsulation> encapsulations() {
  const segment s{.sequence = 77, .flags = syn};
  const frame v4 = tcp_packet(client, server, s), v6 = tcp_packet(client_v6, server_v6, s);
  const ip_address a = address("192.0.2.1"), b = address("192.0.2.2");
  const auto outer = [&](unsigned protocol, const frame& inside) {
    return ethernet(ipv4(a, b, inside, {.protocol = protocol}));
  };
  const auto outer_v6 = [&](unsigned next, const frame& inside) {
    return ethernet(ipv6(client_v6.address, server_v6.address, inside, next));
  };
  const frame snap = of({0xAA, 0xAA, 3, 0, 0, 0, 8, 0});
  const frame macs = frame(12);
  const frame wlan_header = of({0x08, 0x01, 0, 0}) + frame(20);
  const frame wlan_qos = of({0x88, 0x02, 0, 0}) + frame(20) + of({0, 0});
  const frame labels = of({0, 1, 0, 64, 0, 2, 1, 64});
  using enum carrier;
  return {
      {"mpls", link::ethernet, ethernet(labels + v4, 0x8847), {carrier::mpls}},
      {"mpls_v6", link::ethernet, ethernet(labels + v6, 0x8847), {carrier::mpls}},
      {"mpls_ethernet",
       link::ethernet,
       ethernet(labels + of({0, 0, 0, 0}) + ethernet(v4), 0x8847),
       {carrier::mpls}},
      {"pbb", link::ethernet, ethernet(of({0, 0, 0, 1}) + ethernet(v4), 0x88E7), {pbb}},
      {"vn_tag", link::ethernet, ethernet(of({0, 0, 0, 1, 8, 0}) + v4, 0x8926), {vn_tag}},
      {"e_tag", link::ethernet, ethernet(of({0, 0, 0, 0, 0, 1, 8, 0}) + v4, 0x893F), {vn_tag}},
      {"snap", link::ethernet, ethernet(snap + v4, static_cast<unsigned>(8 + v4.size()))},
      {"pppoe", link::ethernet, ethernet(of({0x11, 0, 0, 1, 0, 42, 0, 0x21}) + v4, 0x8864), {carrier::pppoe}},
      {"gre", link::ethernet, outer(47, of({0, 0, 8, 0}) + v4), {gre}},
      {"gre_key_and_number", link::ethernet, outer(47, of({0x30, 0, 0x86, 0xDD}) + frame(8) + v6), {gre}},
      {"gre_ppp",
       link::ethernet,
       outer(47, of({0x30, 0x81, 0x88, 0x0B}) + frame(12) + of({0xFF, 3, 0, 0x21}) + v4),
       {gre}},
      {"gre_ethernet", link::ethernet, outer(47, of({0x20, 0, 0x65, 0x58}) + frame(4) + ethernet(v4)), {gre}},
      {"erspan_1", link::ethernet, outer(47, of({0, 0, 0x88, 0xBE}) + ethernet(v4)), {gre, erspan}},
      {"erspan_2",
       link::ethernet,
       outer(47, of({0x10, 0, 0x88, 0xBE}) + frame(12) + ethernet(v4)),
       {gre, erspan}},
      {"erspan_3",
       link::ethernet,
       outer(47, of({0x10, 0, 0x22, 0xEB}) + frame(16) + ethernet(v4)),
       {gre, erspan}},
      {"vxlan", link::ethernet, outer(17, udp(4789, of({8, 0, 0, 0, 0, 0, 1, 0}) + ethernet(v4))), {vxlan}},
      {"vxlan_over_v6",
       link::ethernet,
       outer_v6(17, udp(8472, of({8, 0, 0, 0, 0, 0, 1, 0}) + ethernet(v6))),
       {vxlan}},
      {"geneve",
       link::ethernet,
       outer(17, udp(6081, of({1, 0, 0x65, 0x58, 0, 0, 1, 0}) + frame(4) + ethernet(v4))),
       {geneve}},
      {"gtp", link::ethernet, outer(17, udp(2152, of({0x30, 0xFF, 0, 40, 0, 0, 0, 1}) + v4)), {gtp}},
      {"gtp_extended",
       link::ethernet,
       outer(17, udp(2152, of({0x34, 0xFF, 0, 48, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0}) + v4)),
       {gtp}},
      {"six_in_four", link::ethernet, outer(41, v6), {ip_in_ip}},
      {"four_in_six", link::ethernet, outer_v6(4, v4), {ip_in_ip}},
      {"four_in_four", link::ethernet, outer(4, v4), {ip_in_ip}},
      {"teredo", link::ethernet, outer(17, udp(3544, v6)), {ip_in_ip}},
      {"authenticated", link::ethernet, outer(51, of({4, 4, 0, 0}) + frame(20) + v4)},
      {"ether_ip", link::ethernet, outer(97, of({0x30, 0}) + ethernet(v4))},
      {"mpls_in_ip", link::ethernet, outer(137, labels + v4), {carrier::mpls}},
      {"l2tp",
       link::ethernet,
       outer(17, udp(1701, of({0x48, 2, 0, 60, 0, 1, 0, 2, 0, 0, 0, 0, 0xFF, 3, 0, 0x21}) + v4)),
       {l2tp}},
      {"capwap_ethernet",
       link::ethernet,
       outer(17, udp(5247, of({0, 0x10, 2, 0, 0, 0, 0, 0}) + ethernet(v4))),
       {capwap}},
      {"capwap_wlan",
       link::ethernet,
       outer(17, udp(5247, of({0, 0x10, 3, 0, 0, 0, 0, 0}) + wlan_header + snap + v4)),
       {capwap, wlan}},
      {"capwap_swapped",
       link::ethernet,
       outer(17, udp(5247, of({0, 0x10, 3, 0, 0, 0, 0, 0}) + of({0x01, 0x08, 0, 0}) + frame(20) + snap + v4)),
       {capwap, wlan}},
      {"tunnel_in_tunnel",
       link::ethernet,
       outer(47, of({0, 0, 8, 0}) +
                     ipv4(a, b, udp(4789, of({8, 0, 0, 0, 0, 0, 1, 0}) + ethernet(v4)), {.protocol = 17})),
       {gre, vxlan}},
      {"ppp", link::ppp, of({0xFF, 3, 0, 0x21}) + v4},
      {"ppp_short", link::ppp, of({0x21}) + v4},
      {"ppp_v6", link::ppp, of({0, 0x57}) + v6},
      {"ppp_with_direction", link::ppp_with_direction, of({1, 0xFF, 3, 0, 0x21}) + v4},
      {"pppoe_link", link::pppoe, of({0x11, 0, 0, 1, 0, 42, 0, 0x21}) + v4, {carrier::pppoe}},
      {"slip", link::slip, of({0, 0x45}) + frame(14) + v4},
      {"slip_bare", link::slip, v4},
      {"chdlc", link::cisco_hdlc, of({0x0F, 0, 8, 0}) + v4},
      {"chdlc_ppp", link::cisco_hdlc, of({0xFF, 3, 0, 0x21}) + v4},
      {"wlan", link::wlan, wlan_header + snap + v4, {wlan}},
      {"wlan_qos", link::wlan, wlan_qos + snap + v4, {wlan}},
      {"wlan_padded", link::wlan, wlan_qos + of({0, 0}) + snap + v4, {wlan}},
      {"wlan_four_addresses", link::wlan, of({0x08, 0x03, 0, 0}) + frame(26) + snap + v4, {wlan}},
      {"wlan_aggregate",
       link::wlan,
       of({0x88, 0x01, 0, 0}) + frame(20) + of({0x80, 0}) + frame(14) + snap + v4,
       {wlan}},
      {"radiotap", link::wlan_radiotap, of({0, 0, 9, 0, 0, 0, 0, 0, 0}) + wlan_header + snap + v4, {wlan}},
      {"prism", link::wlan_prism, frame(144) + wlan_header + snap + v4, {wlan}},
      {"ppi", link::ppi, of({0, 0, 8, 0, 105, 0, 0, 0}) + wlan_header + snap + v4, {wlan}},
      {"frame_relay", link::frame_relay, of({0x18, 0x41, 3, 0xCC}) + v4},
      {"frame_relay_snap", link::frame_relay, of({0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0}) + v4},
      {"frame_relay_cisco", link::frame_relay, of({0x18, 0x41, 8, 0}) + v4},
      {"multilink", link::multilink_frame_relay, of({0xC0, 1, 0x18, 0x41, 3, 0xCC}) + v4},
      {"atm", link::atm_llc, snap + v4},
      {"sun_atm", link::sun_atm, of({2, 0, 0, 32}) + snap + v4},
      {"arcnet", link::arcnet_linux, of({1, 2, 0, 0, 0xD4, 0, 0, 1}) + v4},
      {"juniper", link::juniper_atm1, of({0x4D, 0x47, 0x43, 0x80, 0, 2, 9, 9, 0, 0, 0, 0}) + snap + v4},
      {"nflog", link::nflog, of({2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 1, 0}) + of({44, 0, 9, 0}) + v4},
      {"fddi", link::fddi, of({0x50}) + macs + snap + v4},
      {"pflog", link::pflog, of({61, 2}) + frame(62) + v4},
      {"openbsd_enc", link::openbsd_enc, frame(12) + v4},
      {"sll_vlan", link::linux_sll, frame(14) + of({0x81, 0, 0, 7, 8, 0}) + v4},
  };
}

}  // namespace halfopen::trace::testing

#endif
