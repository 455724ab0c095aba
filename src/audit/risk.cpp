// What follows from a socket's options, its namespace's settings and its timer of the moment. The formulas
// are fate/kernel_timeouts.hpp's; here stands which of them holds for which socket.
//
// would_hang() in halfopen/liveness.hpp answers the same question for a program that looks at a socket of
// its own. It takes the kernel's least retransmission timer for granted; an audit knows the connection's
// own, and over a satellite that is the difference between 102 s and 189 s (kernel_timeouts_test.cpp).

#include <algorithm>

#include "fate/kernel_timeouts.hpp"
#include "halfopen/audit.hpp"

namespace halfopen::audit {
namespace {

notice found(rule by, const span& when) {
  return {by, when.least, when.most};
}

const notice never{rule::nothing, {}, {}};

/// The connection's own timer, not backed off. A closed window's probes double another figure (icsk_backoff
/// alone).
milliseconds own_timer(const tcp_socket& s, const kernel_timers& timers) {
  if (!s.figures) return timers.rto_min;
  const auto& f = *s.figures;
  if (f.retransmits == 0 || s.running == timer::zero_window) return std::max(f.rto, timers.rto_min);
  return std::max(milliseconds(f.rto.count() >> std::min<int>(f.backoff, 32)), timers.rto_min);
}

/// What the kernel goes by, of one socket.
struct rules {
  const tcp_socket& s;
  const liveness& live;
  const network& net;
  kernel_timers timers;
  std::chrono::microseconds tick;

  [[nodiscard]] bool by_time() const { return live.user_timeout.count() > 0; }

  [[nodiscard]] keepalive_rule keepalive() const {
    return {live.idle, live.interval, live.probes, live.user_timeout, tick};
  }
  [[nodiscard]] rule keepalive_name() const {
    return by_time() ? rule::keepalive_and_user_timeout : rule::keepalive;
  }
  [[nodiscard]] retransmission in_flight() const {
    return {timers.retries2, own_timer(s, timers), timers.rto_max, live.user_timeout, tick};
  }
  [[nodiscard]] connect_rule connecting() const {
    return {timers.syn_retries, timers.syn_linear_timeouts, live.user_timeout, timers.rto_max, tick};
  }
  [[nodiscard]] window_rule closed_window() const {
    return {timers.retries2, own_timer(s, timers), timers.rto_max, live.user_timeout, tick};
  }
};

std::optional<rules> rules_of(const tcp_socket& s, const snapshot& in) {
  if (!s.options) return std::nullopt;
  const network& net = in.networks.at(s.network);
  rules r{s, s.options->live, net, net.timers.value_or(kernel_timers{}), in.tick};
  if (s.options->rto_max) r.timers.rto_max = *s.options->rto_max;
  if (s.options->syn_retries) r.timers.syn_retries = *s.options->syn_retries;
  return r;
}

notice while_idle(const rules& r) {
  return r.live.keepalive ? found(r.keepalive_name(), gives_up(r.keepalive())) : never;
}

/// Most sockets of a machine are alike: the last answer is kept.
span gives_up_as_before(const retransmission& r) {
  thread_local retransmission last;
  thread_local span answer = gives_up(last);
  if (r == last) return answer;
  last = r;
  return answer = gives_up(r);
}

/// Without a user timeout it rests on the namespace's settings.
notice while_in_flight(const rules& r) {
  if (!r.by_time() && !r.net.timers) return {};
  return found(r.by_time() ? rule::user_timeout : rule::retries2, gives_up_as_before(r.in_flight()));
}

notice while_connecting(const rules& r) {
  if (!r.net.timers) return {};
  return found(r.by_time() ? rule::user_timeout : rule::syn_retries, gives_up(r.connecting()));
}

notice connecting_now(const rules& r) {
  if (!r.net.timers || !r.s.figures || r.s.running != timer::retransmission) return {};
  return found(r.by_time() ? rule::user_timeout : rule::syn_retries,
               gives_up(r.connecting(), r.s.figures->retransmits, r.s.timer_left));
}

notice in_flight_now(const rules& r) {
  if (!r.by_time() && !r.net.timers) return {};
  const rule by = r.by_time() ? rule::user_timeout : rule::retries2;
  const tcp_figures& f = *r.s.figures;
  if (r.s.running == timer::zero_window)
    return found(by, gives_up(r.closed_window(), f.probes, f.backoff, r.s.timer_left));
  if (r.s.running == timer::retransmission)
    return found(by, gives_up(r.in_flight(), f.retransmits, r.s.timer_left));
  return found(by, gives_up(r.in_flight()));
}

notice idle_now(const rules& r) {
  if (!r.live.keepalive) return never;
  const tcp_figures& f = *r.s.figures;
  const milliseconds left = r.s.running == timer::keepalive ? r.s.timer_left : milliseconds(0);
  return found(r.keepalive_name(), gives_up(r.keepalive(), f.probes, f.silent(), left));
}

/// States in which a program waits for its peer, or may.
bool can_wait(socket_state s) {
  return s == socket_state::established || s == socket_state::close_wait || s == socket_state::fin_wait1 ||
         s == socket_state::fin_wait2;
}

/// True if a is noticed later than b: known before not known, and never last of all.
bool is_worse(const notice& a, const notice& b) {
  const auto rank = [](const notice& n) { return !n.known() ? 0 : n.least ? 1 : 2; };
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return rank(a) == 1 && *a.least > *b.least;
}

}  // namespace

risk risk_of(const tcp_socket& s, const snapshot& in) {
  risk r;
  const auto rules = rules_of(s, in);
  if (!rules) return r;
  if (s.state == socket_state::syn_sent) {
    r.connecting = while_connecting(*rules);
    r.now = connecting_now(*rules);
  } else if (can_wait(s.state)) {
    r.idle = while_idle(*rules);
    r.in_flight = while_in_flight(*rules);
    if (s.figures) r.now = s.send_queue > 0 ? in_flight_now(*rules) : idle_now(*rules);
  }
  return r;
}

const notice& risk::worst(const tcp_socket& of) const noexcept {
  if (of.state == socket_state::syn_sent) return connecting;
  return is_worse(in_flight, idle) ? in_flight : idle;
}

bool tcp_socket::stays_on_host() const noexcept {
  if (local.address == remote.address) return true;
  const auto bytes = remote.address.bytes();
  if (!remote.address.is_v6()) return bytes[0] == std::byte{127};
  return std::ranges::all_of(bytes.first(15), [](std::byte b) { return b == std::byte{0}; }) &&
         bytes[15] == std::byte{1};
}

std::optional<within> notices_within(const tcp_socket& s, const risk& r, milliseconds limit) {
  const bool connecting = s.state == socket_state::syn_sent;
  const bool counts = connecting || s.state == socket_state::established ||
                      s.state == socket_state::fin_wait1 || s.state == socket_state::fin_wait2;
  if (!counts || s.inode == 0 || s.stays_on_host()) return std::nullopt;
  const auto one = [&](const notice& n) {
    if (!n.known()) return within::not_known;
    return n.least && *n.least <= limit ? within::yes : within::no;
  };
  if (connecting) return one(r.connecting);
  const within idle = one(r.idle);
  const within in_flight = one(r.in_flight);
  if (idle == within::no || in_flight == within::no) return within::no;
  return idle == within::not_known ? idle : in_flight;
}

within all_notice_within(const snapshot& s, milliseconds limit) {
  const bool all_seen =
      std::ranges::none_of(s.not_seen, &hidden::connections) &&
      std::ranges::all_of(s.networks, [](const network& n) { return n.listed || n.name.empty(); });
  within all = all_seen ? within::yes : within::not_known;
  for (const tcp_socket& one : s.sockets) {
    const auto w = notices_within(one, risk_of(one, s), limit);
    if (w == within::no) return within::no;
    if (w == within::not_known) all = within::not_known;
  }
  return all;
}

}  // namespace halfopen::audit
