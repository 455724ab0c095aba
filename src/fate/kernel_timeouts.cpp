// The kernel's patience, by the formulas of net/ipv4/tcp_timer.c. Each function does what
// the timer's handler does; only the connect needs to be walked through, since there a
// count and a length of time end it, whichever comes first.

#include "fate/kernel_timeouts.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace halfopen {
namespace {

constexpr milliseconds rto_min{200};      // TCP_RTO_MIN, include/net/tcp.h
constexpr milliseconds rto_of_syn{1000};  // TCP_TIMEOUT_INIT
constexpr int most_syns = 127;            // MAX_TCP_SYNCNT

/// tcp_model_timeout()
milliseconds model(int boundary, milliseconds base, milliseconds most) noexcept {
  const int doublings = static_cast<int>(std::bit_width(
                            static_cast<unsigned>(std::clamp<std::int64_t>(most / base, 1, 1 << 20)))) -
                        1;
  const int exponential = std::clamp(boundary, 0, doublings);
  const int at_the_limit = std::max(boundary - doublings, 0);
  return base * ((2LL << exponential) - 1) + most * at_the_limit;
}

}  // namespace

milliseconds retransmission_gives_up(int retries2, milliseconds rto_max) noexcept {
  return model(retries2, rto_min, rto_max);
}

// tcp_retransmit_timer() and tcp_write_timeout(), in SYN_SENT. Here the clock, retrans_stamp,
// starts with the first SYN (tcp_connect_init() in net/ipv4/tcp_output.c). Measured with
// tcp_syn_retries, tcp_syn_linear_timeouts and the user timeout in milliseconds, Linux 6.18:
// 1, 4, 0: 3.06 s; 2, 1, 0: 8.28 s; 1, 0, 0: 3.04 s; 6, 4, 2800: 2.82 s; 2, 4, 700: 1.03 s.
milliseconds connect_gives_up(int syn_retries, int linear, milliseconds user_timeout,
                              milliseconds rto_max) noexcept {
  const bool clamped = user_timeout.count() > 0;
  const milliseconds limit = clamped ? user_timeout : model(syn_retries, rto_of_syn, rto_max);
  const int most = std::clamp(syn_retries, 0, most_syns) + std::clamp(linear, 0, most_syns);
  milliseconds rto = rto_of_syn;
  milliseconds elapsed = rto_of_syn;  // the first timer knows no user timeout
  for (int again = 0; again < most && (again == 0 || elapsed < limit); ++again) {
    if (again >= linear) rto = std::min(rto * 2, std::max(rto_max, rto_of_syn));
    // tcp_clamp_rto_to_user_timeout()
    elapsed += clamped ? std::clamp(limit - elapsed, milliseconds(0), rto) : rto;
  }
  return elapsed;
}

// tcp_keepalive_timer(): with a user timeout the probes are not counted, but at least one
// must have gone unanswered, and only a firing of the timer looks at the time.
milliseconds keepalive_gives_up(milliseconds time, milliseconds interval, int probes,
                                milliseconds user_timeout) noexcept {
  std::int64_t firings = probes;
  if (user_timeout.count() > 0 && interval.count() > 0)
    firings = std::max<std::int64_t>(1, (user_timeout - time + interval - milliseconds(1)) / interval);
  return time + interval * firings;
}

}  // namespace halfopen
