// Who opened a connection. The kernel does not keep it, but its counters tell: tcp_snd_una_update()
// (net/ipv4/tcp_input.c) adds the step of SND.UNA to bytes_acked, and for the side that sent the SYN the
// first step is the SYN's own. A connection that was accepted begins one further (tcp_create_openreq_child()
// in net/ipv4/tcp_minisocks.c). So bytes_acked is the bytes of data acknowledged, or one more.
//
// Where the counters do not add up to either, a listener on the local port is the second best witness: a
// program that connects may be bound to such a port, but hardly any is.

#include "audit/opener.hpp"

#include <algorithm>

namespace halfopen::audit {
namespace {

side by_counters(const tcp_socket& s) {
  if (!s.figures) return side::unknown;
  if (s.state != socket_state::established && s.state != socket_state::close_wait) return side::unknown;
  const tcp_figures& f = *s.figures;
  const std::uint64_t in_flight = s.send_queue >= f.not_sent ? s.send_queue - f.not_sent : 0;
  if (f.bytes_sent < in_flight + f.bytes_repeated) return side::unknown;
  const std::uint64_t acked = f.bytes_sent - f.bytes_repeated - in_flight;
  if (f.bytes_acked == acked + 1) return side::this_host;
  return f.bytes_acked == acked ? side::peer : side::unknown;
}

}  // namespace

std::vector<listening_port> listening_ports(std::span<const tcp_socket> all) {
  std::vector<listening_port> ports;
  for (const tcp_socket& s : all)
    if (s.state == socket_state::listen) ports.push_back({s.network, s.local.port});
  std::ranges::sort(ports);
  ports.erase(std::ranges::unique(ports).begin(), ports.end());
  return ports;
}

side opener_of(const tcp_socket& s, std::span<const listening_port> listening) {
  if (s.state == socket_state::listen) return side::unknown;
  if (s.state == socket_state::syn_sent) return side::this_host;
  if (s.state == socket_state::syn_recv || s.state == socket_state::new_syn_recv) return side::peer;
  if (const side told = by_counters(s); told != side::unknown) return told;
  return std::ranges::binary_search(listening, listening_port{s.network, s.local.port}) ? side::peer
                                                                                        : side::unknown;
}

}  // namespace halfopen::audit
