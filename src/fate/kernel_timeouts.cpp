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
  return gives_up(connect_rule{syn_retries, linear, user_timeout, rto_max, {}}).least;
}

// tcp_keepalive_timer(): with a user timeout the probes are not counted, but at least one
// must have gone unanswered, and only a firing of the timer looks at the time.
milliseconds keepalive_gives_up(milliseconds time, milliseconds interval, int probes,
                                milliseconds user_timeout) noexcept {
  return gives_up(keepalive_rule{time, interval, probes, user_timeout, {}}).least;
}

milliseconds late_by(milliseconds distance, microseconds tick) noexcept {
  if (tick.count() <= 0) return milliseconds(0);
  // LVL_START(n) and LVL_GRAN(n): 64 slots a level, each level eight times as coarse.
  const std::int64_t ticks = distance / tick;
  std::int64_t granularity = 1;
  for (std::int64_t end = 63; ticks >= end && granularity < (1 << 24); end *= 8) granularity *= 8;
  // The tick that runs already, and the rounding up to ticks.
  return std::chrono::ceil<milliseconds>(tick * (granularity + 2));
}

namespace {

/// Time that passes in waits for timers.
struct moments {
  span at{};
  void wait(milliseconds distance, microseconds tick) noexcept {
    at.least += distance;
    at.most += distance + late_by(distance, tick);
  }
};

span operator+(span a, span b) noexcept {
  return {a.least + b.least, a.most + b.most};
}

/// tcp_retransmit_timer() and retransmits_timed_out(): only a firing looks at the time, which counts from
/// the first retransmission (retrans_stamp). `passed` firings of it are over. From the last of these on.
span retransmission_after(const retransmission& r, int passed) noexcept {
  const bool clamped = r.user_timeout.count() > 0;
  const milliseconds most = std::max(r.rto_max, milliseconds(1));
  const milliseconds limit = clamped ? r.user_timeout : model(r.retries2, rto_min, most);
  const milliseconds longest = most + late_by(most, r.tick);
  milliseconds rto = std::clamp(r.rto, milliseconds(1), most);
  moments since;
  span begun{};
  bool least_known = false;
  span found{};
  for (int firing = 1;; ++firing) {
    if (firing == passed) begun = since.at;
    rto = std::min(rto * 2, most);
    // Far away: no need to walk there step by step.
    if (const auto steps = (limit - since.at.most) / longest - 2;
        firing >= passed && rto == most && steps > 1000) {
      since.at.least += most * steps;
      since.at.most += longest * steps;
    }
    // tcp_clamp_rto_to_user_timeout()
    since.wait(clamped ? std::clamp(limit - since.at.least, milliseconds(1), rto) : rto, r.tick);
    if (!least_known && firing >= passed && since.at.most >= limit) {
      found.least = std::max(since.at.least, limit);
      least_known = true;
    }
    if (firing >= passed && since.at.least >= limit) {
      found.most = since.at.most;
      // The firings that are over may have been late, and then less is left.
      return {std::max(found.least - begun.most, milliseconds(0)), found.most - begun.least};
    }
  }
}

}  // namespace

span gives_up(const retransmission& r) noexcept {
  // A loss probe may come first, and takes one timer more (tcp_schedule_loss_probe()).
  moments first;
  first.wait(r.rto, r.tick);
  first.at.most += r.rto + late_by(r.rto, r.tick);
  return first.at + retransmission_after(r, 1);
}

span gives_up(const retransmission& r, int done, milliseconds left) noexcept {
  left = std::max(left, milliseconds(0));
  const milliseconds most = std::max(r.rto_max, milliseconds(1));
  milliseconds step = std::clamp(r.rto, milliseconds(1), most);
  if (done <= 0)  // a loss probe may be what runs now
    return span{left, left + late_by(step, r.tick) + step + late_by(step, r.tick)} +
           retransmission_after(r, 1);
  // What is left after the firing that is under way: the whole way from the last one, less this step.
  const int passed = std::min(done, 1000);
  const span from_last = retransmission_after(r, passed);
  for (int i = 0; i < passed && step < most; ++i) step = std::min(step * 2, most);
  const milliseconds gone = std::max(step - left, milliseconds(0));
  // How late the timer that runs will be was decided when it was set.
  return {std::max(from_last.least - gone, left),
          std::max(from_last.most - gone, left + late_by(step, r.tick))};
}

namespace {

/// The last firing of the keepalive timer; `at` is the time of the one before, since the peer was heard.
span keepalive_after(const keepalive_rule& k, moments at, int sent) noexcept {
  const milliseconds interval = std::max(k.interval, milliseconds(1));
  if (k.user_timeout.count() == 0) {
    for (int i = std::max(sent, 0); i < k.probes; ++i) at.wait(interval, k.tick);
    return at.at;
  }
  span found{};
  bool least_known = false;
  for (;; at.wait(interval, k.tick), ++sent) {
    if (sent < 1) continue;
    if (!least_known && at.at.most >= k.user_timeout) {
      found.least = std::max(at.at.least, k.user_timeout);
      least_known = true;
    }
    if (at.at.least >= k.user_timeout) return {found.least, at.at.most};
    // Far away: no need to walk there step by step.
    if (const auto steps = (k.user_timeout - at.at.most) / interval - 2; steps > 1000) {
      at.at.least += interval * steps;
      at.at.most += (interval + late_by(interval, k.tick)) * steps;
    }
  }
}

}  // namespace

span gives_up(const keepalive_rule& k) noexcept {
  moments first;
  first.wait(std::max(k.time, milliseconds(0)), k.tick);
  return keepalive_after(k, first, 0);
}

span gives_up(const keepalive_rule& k, int sent, milliseconds silent, milliseconds left) noexcept {
  left = std::max(left, milliseconds(0));
  moments at{{silent + left, silent + left}};
  if (sent > 0) {
    at.at.most += late_by(k.interval, k.tick);
  } else {
    // The timer may only look, and run on until the time is over.
    at.at.most += late_by(k.time, k.tick);
    if (at.at.least < k.time) at = {{k.time, std::max(k.time, at.at.most) + late_by(k.time, k.tick)}};
  }
  const span end = keepalive_after(k, at, sent);
  return {end.least - silent, end.most - silent};
}

namespace {

/// From the first SYN to the firing that gives up; `pending`: to the one after `done` repetitions.
span connect_walk(const connect_rule& c, int done, span& pending) noexcept {
  const bool clamped = c.user_timeout.count() > 0;
  const milliseconds limit = clamped ? c.user_timeout : model(c.syn_retries, rto_of_syn, c.rto_max);
  const int linear = std::clamp(c.linear, 0, most_syns);
  const int most = std::clamp(c.syn_retries, 0, most_syns) + linear;
  milliseconds rto = rto_of_syn;
  moments elapsed;
  elapsed.wait(rto_of_syn, c.tick);  // the first timer knows no user timeout
  pending = elapsed.at;
  for (int again = 0; again < most && (again == 0 || elapsed.at.least < limit); ++again) {
    if (again >= linear) rto = std::min(rto * 2, std::max(c.rto_max, rto_of_syn));
    // tcp_clamp_rto_to_user_timeout()
    elapsed.wait(clamped ? std::clamp(limit - elapsed.at.least, milliseconds(0), rto) : rto, c.tick);
    if (again < done) pending = elapsed.at;
  }
  return elapsed.at;
}

}  // namespace

span gives_up(const connect_rule& c) noexcept {
  span pending;
  return connect_walk(c, 0, pending);
}

span gives_up(const connect_rule& c, int done, milliseconds left) noexcept {
  span pending;
  const span whole = connect_walk(c, done, pending);
  left = std::max(left, milliseconds(0));
  // With a user timeout it counts how late the firings were that are over.
  const milliseconds gone = c.user_timeout.count() > 0 ? pending.most : pending.least;
  const milliseconds step = rto_of_syn * (1LL << std::clamp(done, 0, 7));
  return span{left, left + late_by(step, c.tick)} +
         span{std::max(whole.least - gone, milliseconds(0)), whole.most - pending.most};
}

span gives_up(const window_rule& w, int sent, int backoff, milliseconds left) noexcept {
  const milliseconds base =
      std::clamp(std::max(w.rto, rto_min), milliseconds(1), std::max(w.rto_max, milliseconds(1)));
  moments at;
  at.at = {std::max(left, milliseconds(0)), std::max(left, milliseconds(0))};
  at.at.most +=
      late_by(std::min(base * (1 << std::clamp(backoff, 0, 10)), std::max(w.rto_max, base)), w.tick);
  if (w.user_timeout.count() > 0) {
    // When its clock began cannot be seen: with this probe, or long ago.
    const milliseconds last = std::max(w.rto_max, base);
    return {at.at.least, at.at.most + w.user_timeout + last + late_by(last, w.tick)};
  }
  for (; sent < w.retries2 && sent < UINT8_MAX; ++sent) {
    backoff = std::clamp(backoff + 1, 0, 10);  // tcp_probe0_when()
    at.wait(std::min(base * (1 << backoff), std::max(w.rto_max, base)), w.tick);
  }
  return at.at;
}

}  // namespace halfopen
