#ifndef HALFOPEN_SRC_AUDIT_TEST_SOCKETS_HPP
#define HALFOPEN_SRC_AUDIT_TEST_SOCKETS_HPP

#include "halfopen/audit.hpp"

/// Sockets as a look may find them, for tests.

namespace halfopen::audit::test {

using namespace std::chrono_literals;

inline trace::endpoint at(const char* address, std::uint16_t port) {
  return {*trace::ip_address::parse(address), port};
}

/// One network with the kernel's defaults, one process, exact timers.
inline snapshot machine() {
  snapshot s;
  network& n = s.networks.emplace_back();
  n.inode = 1;
  n.timers = kernel_timers{};
  n.fin_timeout = 60s;
  n.listed = true;
  process& p = s.processes.emplace_back();
  p.pid = 4711;
  p.name = "app";
  s.tick = {};
  return s;
}

/// Open, idle for a second, opened by this host, without any option.
inline tcp_socket open_connection() {
  tcp_socket s;
  s.local = at("10.0.0.1", 40000);
  s.remote = at("10.0.0.2", 5432);
  s.opened_by = side::this_host;
  s.process = 0;
  s.descriptor = 3;
  s.inode = 100;
  tcp_figures f;
  f.rto = 204ms;
  f.round_trip = 1ms;
  f.since_sent = f.since_received = f.since_ack = 1s;
  f.bytes_acked = 1;
  s.figures = f;
  s.options = socket_options{};
  return s;
}

/// With so many repetitions of data, unanswered.
inline tcp_socket retransmitting(std::uint8_t times) {
  tcp_socket s = open_connection();
  s.running = timer::retransmission;
  s.timer_left = 100ms;
  s.send_queue = 10;
  s.figures->in_flight = 1;
  s.figures->bytes_sent = 10;
  s.figures->retransmits = s.figures->backoff = times;
  s.figures->rto = 204ms * (1 << times);
  return s;
}

inline tcp_socket with_keepalive(std::chrono::seconds idle, std::chrono::seconds interval, int probes,
                                 milliseconds user_timeout = 0ms) {
  tcp_socket s = open_connection();
  s.options->live = {true, idle, interval, probes, user_timeout};
  s.running = timer::keepalive;
  s.timer_left = idle - 1s;
  return s;
}

inline tcp_socket listener() {
  tcp_socket s;
  s.local = at("0.0.0.0", 80);
  s.state = socket_state::listen;
  s.process = 0;
  s.inode = 200;
  s.send_queue = 4;
  s.dropped = 0;
  return s;
}

inline tcp_socket waiting_at_listener(milliseconds since) {
  tcp_socket s = open_connection();
  s.local = at("10.0.0.1", 80);
  s.remote = at("10.0.0.2", 40001);
  s.opened_by = side::peer;
  s.process = none;
  s.inode = 0;
  s.options.reset();
  s.figures->since_sent = s.figures->since_ack = s.figures->since_received = since;
  return s;
}

}  // namespace halfopen::audit::test

#endif
