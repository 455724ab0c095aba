// How a connection ended, from the kernel's last words about its socket (the destroy notification of
// sock_diag(7)) and what was seen before. The state in these words is always CLOSE, so the counters must
// tell: the SYN and the FIN count as a byte each in bytes_acked (audit/opener.cpp), and what is above the
// bytes of data is what was acknowledged of these two.
//
// A connection that ended without its FIN being acknowledged was aborted, by an RST from there or from here;
// which, the counters do not tell. That it was given up by a timer they do: it had been unanswered for as
// long as its own options say.

#include "audit/ending.hpp"

#include <array>

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
