// One number, "a dead peer is noticed within N", as socket options.
//
// Silence has to be given a meaning twice, since Linux treats two cases apart
// (net/ipv4/tcp_timer.c; the functions named here are there):
//
// - nothing in flight: SO_KEEPALIVE probes. By default after two hours, 9 of them 75 s
//   apart (RFC 9293 section 3.8.4 asks for two hours at least), which is of no use here.
// - data in flight, or a closed window: keepalive rests, retransmission goes on for 15
//   minutes, and TCP_USER_TIMEOUT (RFC 5482) limits it.
//
// The two are not independent. With a user timeout U tcp_keepalive_timer() no longer counts
// probes: it ends the connection at its first firing at which the peer has been silent for
// U and at least one probe has gone unanswered. A short U cuts keepalive short, a long one
// prolongs it. And U does not count from the write: retrans_stamp, its clock, is set by the
// first retransmission, one retransmission timer later (TCP_RTO_MIN, 200 ms, and more with
// the round trip); where a tail loss probe goes before it (tcp_schedule_loss_probe() in
// net/ipv4/tcp_output.c), which waits for another 200 ms if one segment is out, two. From
// there on the timers are cut to what is left of U (tcp_clamp_rto_to_user_timeout()).
//
// So: U = N - 200 ms, the least that is never early; and the keepalive timer fires last at
// N exactly and last but one well before U. That one is N / 4 before (at least 1 s), so that
// there are three probes where N allows it: one lost probe must not end a live connection.
//
//     notice within   idle   interval   count   user timeout
//          2 s          1        1        1          1.8 s
//          3 s          1        1        2          2.8 s
//         10 s          4        2        3          9.8 s
//         60 s         15       15        3         59.8 s
//
// What it comes to on plain sockets (Linux 6.18, HZ 250, round trip 0.05 ms, 8 connections
// each, twice; least and most of the seconds from the last segment of the peer's, or from
// the write, to the error; bench/run detect vanished measures it through the library):
//
//     within                2 s          2.5 s        3 s          5 s          10 s         30 s
//     idle                  2.03-2.05    3.05-3.08    3.05-3.08    5.07-5.11    10.05-10.30  30.35-30.76
//     one segment in flight 2.23-2.24    2.72-2.74    3.22-3.23    5.22-5.23    10.37-10.45  30.34-30.42
//     20 kB in flight       2.02-2.03    2.53-2.54    3.03-3.04    5.02-5.04    10.11-10.19  30.08-30.16
//     written N / 2 later   2.23-2.24    2.72-2.73    3.22-3.24    5.22-5.24    10.23-10.31  30.27-30.44
//
// The limits, then:
//
// - 2 s with one segment in flight are up to 12 % late, by the loss probe's 200 ms. Without
//   that probe (many segments out, or tcp_early_retrans 0) a smaller U would be early.
// - A round trip R adds up to 3 R to data in flight, R to the timer and 2 R to the probe.
//   Measured with R = 80 ms: 3.45 s for 3 s, 5.46 s for 5 s, 10.45 s for 10 s. To take the
//   socket's own RTO (tcpi_rto) off instead of 200 ms would help until R falls, and then be
//   early; R right after the handshake is one sample, with an RTO of 3 R.
// - An idle connection rounds up to whole seconds, as the options do: 2.5 s become 3.
// - Kernel timers are never early, and late by up to an eighth of their distance, the
//   granularity of their wheel (kernel/time/timer.c). For the Ns above that is at most 3.4 %
//   of an idle N with HZ 250, 6.8 % with 1000 and 8.5 % with 100 (computed, at N = 30 s).
// - Two things make it early, by 200 ms at most: a lower rto_min (tcp_rto_min_us, or
//   ip-route(8)'s), and a host that vanishes amid a loss recovery, when the clock runs already.
//
// Other plans, and why not. U = N is 200 ms later still. U a quarter of the interval after
// the last firing but one (2.25 s for 3 s, 8.5 s for 10 s) ends data in flight up to 0.5 s
// and 1.3 s early. Keepalive with its count and no U is right when idle, and takes 15
// minutes with data in flight. A ping in the protocol also finds a process that hangs, but
// both sides must speak it. tcp_retries2 and tcp_rto_max_ms are for whole machines.
//
// U has a price: it ends a connection whose peer lives but keeps its window closed for so
// long (tcp_probe_timer()). diagnose() tells that one from a dead peer.

#include "halfopen/liveness.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace halfopen {

void detail::throw_error(const std::error_code& error) {
  throw std::system_error(error);
}
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL, include/net/tcp.h.
constexpr std::int64_t most_seconds = 32'767;
/// TCP_RTO_MIN, include/net/tcp.h: no first retransmission comes sooner.
constexpr milliseconds least_rto{200};
/// So late may a firing of the keepalive timer be that is not to end the connection yet.
constexpr milliseconds late_firing{250};

std::error_code failed() noexcept {
  return {errno, std::system_category()};
}

result<void> set(int fd, int level, int name, std::int64_t value) noexcept {
  const int small = static_cast<int>(std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX));
  if (setsockopt(fd, level, name, &small, sizeof small) != 0) return failed();
  return {};
}

result<int> get(int fd, int level, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, level, name, &value, &size) != 0) return failed();
  return value;
}

}  // namespace

liveness noticed_within(milliseconds within) noexcept {
  within = std::clamp<milliseconds>(within, least_notice, seconds(most_seconds));
  const std::int64_t whole = std::chrono::ceil<seconds>(within).count();
  const std::int64_t interval = std::max<std::int64_t>(1, whole / 4);
  const std::int64_t probes = std::clamp<std::int64_t>((whole - 1) / interval, 1, 3);
  const milliseconds last_but_one = seconds(whole - interval);
  return {
      .keepalive = true,
      .idle = seconds(whole - probes * interval),
      .interval = seconds(interval),
      .probes = static_cast<int>(probes),
      .user_timeout = std::max(within - least_rto, last_but_one + late_firing),
  };
}

result<void> set_liveness(int fd, const liveness& options) noexcept {
  struct {
    int level, name;
    std::int64_t value;
  } const all[] = {
      {SOL_SOCKET, SO_KEEPALIVE, options.keepalive ? 1 : 0},
      {IPPROTO_TCP, TCP_KEEPINTVL, options.interval.count()},
      {IPPROTO_TCP, TCP_KEEPCNT, options.probes},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, options.user_timeout.count()},
      // Last: it starts the keepalive timer anew, and takes off what was silent already
      // (tcp_sock_set_keepidle_locked() in net/ipv4/tcp.c).
      {IPPROTO_TCP, TCP_KEEPIDLE, options.idle.count()},
  };
  for (const auto& option : all)
    if (const result<void> set_it = set(fd, option.level, option.name, option.value); !set_it) return set_it;
  return {};
}

result<void> set_liveness(int fd, milliseconds within) noexcept {
  return set_liveness(fd, noticed_within(within));
}

result<liveness> liveness_of(int fd) noexcept {
  const auto keepalive = get(fd, SOL_SOCKET, SO_KEEPALIVE);
  if (!keepalive) return keepalive.error();
  const auto idle = get(fd, IPPROTO_TCP, TCP_KEEPIDLE);
  if (!idle) return idle.error();
  const auto interval = get(fd, IPPROTO_TCP, TCP_KEEPINTVL);
  if (!interval) return interval.error();
  const auto probes = get(fd, IPPROTO_TCP, TCP_KEEPCNT);
  if (!probes) return probes.error();
  const auto user_timeout = get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
  if (!user_timeout) return user_timeout.error();
  return liveness{*keepalive != 0, seconds(*idle), seconds(*interval), *probes, milliseconds(*user_timeout)};
}

result<void> report_icmp(int fd, bool at_once) noexcept {
  const auto family = get(fd, SOL_SOCKET, SO_DOMAIN);
  if (!family) return family.error();
  // A v4-mapped connection of an IPv6 socket gets IPv4's errors, which ask for IPv4's option.
  if (*family == AF_INET6)
    if (const result<void> six = set(fd, IPPROTO_IPV6, IPV6_RECVERR, at_once ? 1 : 0); !six) return six;
  return set(fd, IPPROTO_IP, IP_RECVERR, at_once ? 1 : 0);
}

}  // namespace halfopen
