// How a connection ended, from the kernel's last words about its socket (the destroy notification of
// sock_diag(7)) and what was seen before. The state in these words is always CLOSE, so the counters must
// tell: the SYN and the FIN count as a byte each in bytes_acked (audit/opener.cpp), and what is above the
// bytes of data is what was acknowledged of these two.
//
// A connection that ended without its FIN being acknowledged was aborted, by an RST from there or from here;
// which, the counters do not tell. That it was given up by a timer they do: it had been unanswered for as
// long as its own options say.
//
// The tracepoints tell all of it: the error with which the kernel closed the socket, which resets there were,
// and who closed first. One trap is there. Data for a connection that its program has closed makes the kernel
// end it as if an RST had come, and then send one (tcp_rcv_state_process(), net/ipv4/tcp_input.c): the reset
// in answer tells that it was this side's. So the last word on a socket that its program has closed is not
// said before the kernel has destroyed it.

#include "audit/ending.hpp"

#include <array>
#include <cerrno>

namespace halfopen::audit {
namespace {

/// SYN and FIN, those of ours that were acknowledged; nothing if the figures do not add up.
std::optional<int> acknowledged_signs(const tcp_socket& last) {
  const tcp_figures& f = *last.figures;
  const std::uint64_t data = f.bytes_sent - std::min(f.bytes_repeated, f.bytes_sent);
  if (f.bytes_acked < data || f.bytes_acked - data > 2) return std::nullopt;
  return static_cast<int>(f.bytes_acked - data);
}

/// Both sides' FINs: ours was acknowledged.
std::optional<bool> was_orderly(const tcp_socket& last, side opened_by) {
  if (last.send_queue > 0) return false;
  const auto signs = acknowledged_signs(last);
  if (!signs) return std::nullopt;
  if (*signs == 2) return true;
  if (*signs == 0) return false;
  if (opened_by == side::unknown) return std::nullopt;
  return opened_by == side::peer;
}

bool is_over(const notice& n, milliseconds waited) {
  return n.least && waited >= *n.least;
}

}  // namespace

std::string_view to_string(closer c) noexcept {
  static constexpr std::array<std::string_view, 4> names{"unknown", "this_host", "peer", "timer"};
  const auto i = static_cast<std::size_t>(c);
  return i < names.size() ? names[i] : "?";
}

std::string_view to_string(reset r) noexcept {
  static constexpr std::array<std::string_view, 4> names{"not_known", "neither", "received", "sent"};
  const auto i = static_cast<std::size_t>(r);
  return i < names.size() ? names[i] : "?";
}

bool is_final(const traced& t) noexcept {
  return t.error != 0 && (t.left == socket_state::established || t.left == socket_state::close_wait ||
                          t.left == socket_state::syn_sent);
}

namespace {

/// Of one whose handshake was not done.
void end_unopened(death& e, const traced& t) {
  if (t.error == 0) {
    e.by = t.left == socket_state::syn_sent ? closer::this_host : closer::unknown;
    return;
  }
  e.how = ending_of(operation::connect, t.error);
  if (e.how == ending::refused) e.by = closer::peer;
  if (e.how == ending::peer_vanished) e.by = closer::timer;
}

/// By an RST from here, or by the kernel's own decision.
void end_here(death& e, const traced& t) {
  e.by = closer::this_host;
  e.rst = t.reset_sent || t.reset_in_answer ? reset::sent : reset::neither;
  e.reason = t.reason;
  e.aborted = true;
  if (t.reason == "TCP_ABORT_ON_MEMORY") e.how = ending::local_failure;
}

void end_in_order(death& e, const traced& t) {
  const bool at_last = t.left == socket_state::last_ack || t.left == socket_state::closing ||
                       t.left == socket_state::fin_wait2;
  if (!at_last) return;
  e.how = ending::completed;
  e.by = t.first_fin != closer::unknown     ? t.first_fin
         : t.left == socket_state::last_ack ? closer::peer
                                            : closer::this_host;
}

}  // namespace

death end_of(const traced& t) {
  death e;
  e.opened = t.left != socket_state::syn_sent && t.left != socket_state::syn_recv;
  e.segments_repeated = t.segments_repeated;
  e.rst = t.reset_received ? reset::received : t.reset_sent ? reset::sent : reset::neither;
  if (!e.opened) {
    end_unopened(e, t);
    return e;
  }
  e.silence = t.silence.value_or(milliseconds{});
  if (t.reset_in_answer) {
    end_here(e, t);
  } else if (t.reset_received) {
    e.how = ending::peer_reset;
    e.or_else = ending::peer_rebooted;
    e.by = closer::peer;
    e.aborted = true;
  } else if (t.error == ETIMEDOUT || t.error == EHOSTUNREACH || t.error == ENETUNREACH) {
    e.how = ending_of(operation::read, t.error);
    e.by = closer::timer;
    e.aborted = true;
    e.reason = t.reason;
  } else if (t.reset_sent || t.error == ECONNABORTED) {
    end_here(e, t);
  } else if (t.error == 0) {
    end_in_order(e, t);
  } else {
    e.aborted = true;
  }
  return e;
}

death end_of(const tcp_socket& last, const tcp_socket* before, const risk& would) {
  if (!last.figures) return {};
  const tcp_figures& f = *last.figures;
  death e;
  e.opened = f.was_open();
  e.repeated = f.retransmits;
  if (!e.opened) return e;  // refused, given up or closed by its program: the figures are the same
  e.silence = f.silent();
  const side opened_by = before != nullptr ? before->opened_by : last.opened_by;
  const auto orderly = was_orderly(last, opened_by);
  if (orderly == true) {
    e.how = ending::completed;
    if (before != nullptr && before->state == socket_state::close_wait) e.by = closer::peer;
    if (before != nullptr &&
        (before->state == socket_state::fin_wait1 || before->state == socket_state::fin_wait2))
      e.by = closer::this_host;
    return e;
  }
  e.aborted = orderly == false;
  const bool in_flight = f.retransmits > 0 && is_over(would.in_flight, e.silence);
  const bool idle = f.probes > 0 && is_over(would.idle, e.silence);
  if (in_flight || idle) {
    e.how = ending::peer_vanished;
    e.by = closer::timer;
  }
  return e;
}

}  // namespace halfopen::audit
