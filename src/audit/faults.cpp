// What is wrong with a socket already. Each rule says no more than the kernel's counters prove: how long
// something has lasted is a lower bound, made of the youngest of the counters that would have moved.
//
// A false accusation is worse than a missed one. So a single repetition of a segment or a single probe is
// nothing (loss is normal), and what every connection passes through (CLOSE_WAIT, FIN_WAIT2, a full window,
// a queue of connections to be accepted) counts only after a time (`patience`).

#include "audit/faults.hpp"

#include <algorithm>

namespace halfopen::audit {
namespace {

constexpr std::uint8_t twice = 2;

bool carries_data(socket_state s) {
  return s == socket_state::established || s == socket_state::close_wait || s == socket_state::fin_wait1 ||
         s == socket_state::closing || s == socket_state::last_ack;
}

std::optional<fault> gone(const tcp_socket& s) {
  if (s.state != socket_state::close || s.inode == 0) return std::nullopt;
  return fault{wrong::gone_not_closed, s.gone_for, 0, {}};
}

std::optional<fault> connect_unanswered(const tcp_socket& s, const risk& r) {
  if (s.state != socket_state::syn_sent || !s.figures || s.figures->retransmits < twice) return std::nullopt;
  milliseconds lasted{};
  if (r.connecting.least && r.now.least)
    lasted = std::max(*r.connecting.least - *r.now.least, milliseconds(0));
  return fault{wrong::connect_unanswered, lasted, s.figures->retransmits, r.now};
}

std::optional<fault> retransmitting(const tcp_socket& s, const risk& r) {
  if (!carries_data(s.state) || !s.figures || s.running == timer::zero_window) return std::nullopt;
  const tcp_figures& f = *s.figures;
  if (f.retransmits < twice || f.in_flight == 0) return std::nullopt;
  return fault{s.inode == 0 ? wrong::orphan : wrong::retransmitting, f.silent(), f.retransmits, r.now};
}

/// A probe that was sent just now may be on its way. With one, the timer has to have run longer than an
/// answer takes.
std::optional<fault> probes_unanswered(const tcp_socket& s, const risk& r) {
  if (s.running != timer::keepalive || !s.figures || s.send_queue > 0 || s.inode == 0) return std::nullopt;
  const tcp_figures& f = *s.figures;
  const bool one_is_old = f.probes == 1 && s.options && s.options->live.keepalive &&
                          s.options->live.interval - s.timer_left > 2 * f.rto;
  if (f.probes < twice && !one_is_old) return std::nullopt;
  return fault{wrong::probes_unanswered, f.silent(), f.probes, r.now};
}

/// For how long the window can have been closed without a break: no longer than since data was last sent,
/// no longer than it was ever (tcpi_rwnd_limited adds up), and no longer than so many doublings take.
milliseconds stalled(const tcp_figures& f) {
  constexpr int many = 9;  // the timer's length is capped from there on
  milliseconds most = std::min(f.since_sent, f.window_closed);
  if (f.backoff < many) most = std::min(most, f.rto * ((2 << f.backoff) - 1));
  return most;
}

std::optional<fault> zero_window(const tcp_socket& s, const risk& r, const patience& p) {
  if (!carries_data(s.state) || s.running != timer::zero_window || !s.figures) return std::nullopt;
  if (s.send_queue == 0 || !s.figures->window_is_closed.value_or(true)) return std::nullopt;
  const milliseconds lasted = stalled(*s.figures);
  if (lasted < p.zero_window) return std::nullopt;
  return fault{wrong::zero_window, lasted, s.figures->probes, r.now};
}

/// A program may go on sending after the peer's FIN, and must not be accused while it does.
std::optional<fault> close_wait(const tcp_socket& s, const patience& p) {
  if (s.state != socket_state::close_wait || s.inode == 0 || !s.figures || s.send_queue > 0)
    return std::nullopt;
  const milliseconds quiet = std::min(s.figures->silent(), s.figures->since_sent);
  if (quiet < p.close_wait) return std::nullopt;
  return fault{wrong::close_wait, quiet, s.receive_queue, {}};
}

/// The kernel forgets it when its timer has run (tcp_fin_timeout), so it harms only in numbers.
std::optional<fault> orphan(const tcp_socket& s, const snapshot& in, const patience& p) {
  if (s.state != socket_state::fin_wait2 || s.inode != 0) return std::nullopt;
  const auto whole = in.networks.at(s.network).fin_timeout;
  milliseconds lasted{};
  if (whole) lasted = std::max(*whole - s.timer_left, milliseconds(0));
  if (lasted < p.orphan) return std::nullopt;
  return fault{wrong::orphan, lasted, 0, {rule::nothing, s.timer_left, s.timer_left}};
}

void listener_faults(const tcp_socket& s, const patience& p, std::span<const tcp_socket* const> waiting,
                     std::vector<fault>& to) {
  milliseconds longest{};
  std::uint32_t count = 0;
  for (const tcp_socket* w : waiting) {
    if (!w->figures) continue;
    const milliseconds waited = std::min(w->figures->silent(), w->figures->since_sent);
    if (waited >= p.not_accepted) ++count;
    longest = std::max(longest, waited);
  }
  if (count > 0) to.push_back({wrong::not_accepting, longest, count, {}});
  const bool full = s.receive_queue > s.send_queue;  // sk_acceptq_is_full() in include/net/sock.h
  if (full)
    to.push_back({wrong::accept_queue_full, {}, s.receive_queue, {}});
  else if (s.dropped.value_or(0) > 0)
    to.push_back({wrong::accept_queue_overflowed, {}, *s.dropped, {}});
}

}  // namespace

std::vector<fault> faults_with(const tcp_socket& s, const risk& r, const snapshot& in, const patience& p,
                               std::span<const tcp_socket* const> waiting) {
  std::vector<fault> found;
  if (s.state == socket_state::listen) {
    listener_faults(s, p, waiting, found);
    return found;
  }
  for (const auto& f : {gone(s), connect_unanswered(s, r), retransmitting(s, r), probes_unanswered(s, r),
                        zero_window(s, r, p), close_wait(s, p), orphan(s, in, p)})
    if (f) found.push_back(*f);
  return found;
}

std::vector<fault> faults_of(const tcp_socket& s, const snapshot& in, const patience& p,
                             std::span<const tcp_socket* const> waiting) {
  return faults_with(s, risk_of(s, in), in, p, waiting);
}

}  // namespace halfopen::audit
