// The rules for RST and for silence: the ends that somebody suffers.
//
// Packets do not tell everything. A reset looks the same before accept and after
// it; a reborn host's RST is also a firewall's, or that of a host whose socket was
// destroyed; death by retransmission sends nothing at all (Linux net/ipv4/
// tcp_timer.c tcp_write_err), while death by keepalive sends the same RST+ACK as
// an abort (tcp_keepalive_timer, tcp_send_active_reset). Where two endings fit,
// the likelier is told, the other is in also_possible, and `why` says so.

#include <fmt/format.h>

#include "trace/teller.hpp"

namespace halfopen::trace {

using namespace std::chrono_literals;

// ---- 3. RST ------------------------------------------------------------------------

void teller::tell_reset(side by) {
  const flow& f = c_.of(by);
  prove(f.rst);
  if (f.rst_misfit || f.said_after_rst > 0) return tell_forged(by);
  if (is_unanswered(by, f.rst->when)) return tell_silence(by, f.rst);
  const side peer = other(by);
  const bool fin_first = f.fin && f.fin->number <= f.rst->number;
  if (fin_first) return tell_closed_then_reset(by);
  if (c_.of(peer).fin && c_.of(peer).fin_acked && owed_by(peer)) return tell_closed_then_reset(peer);
  // A bare RST answers something; one that nothing came before was sent unasked.
  const bool asked = c_.of(peer).unanswered > 0;
  if (f.rst_kind == reset_kind::no_socket && asked) return tell_reset_by_stranger(by);
  tell_aborted(by);
}

/// `closer` sent FIN, then somebody sent RST. What the other side's program got
/// first depends on whether the FIN had reached it.
void teller::tell_closed_then_reset(side closer) {
  const flow& f = c_.of(closer);
  const mark reset = *c_.of(*first_reset()).rst;
  prove(f.fin);
  if (!f.fin_acked_at || f.fin_acked_at->number > reset.number)
    return conclude(
        ending::peer_reset, culprit_of(closer),
        fmt::format("{} sent FIN in packet {}, but RST in packet {} overtook it: the FIN was never "
                    "acknowledged",
                    name_of(closer), f.fin->number, reset.number));
  prove(f.fin_acked_at);
  half_open(f.fin, reset.when);
  // After the FIN a Linux program that writes again gets EPIPE, not ECONNRESET.
  could_also_be(ending::broken_pipe);
  const std::uint64_t late = c_.of(other(closer)).bytes_after_fin_of_other;
  conclude(ending::peer_closed, culprit_of(closer),
           fmt::format(
               "{} closed with FIN in packet {}, acknowledged in packet {}; {} sent {} bytes after that, and "
               "RST followed in packet {}",
               name_of(closer), f.fin->number, f.fin_acked_at->number, name_of(other(closer)), late,
               reset.number));
}

void teller::tell_aborted(side by) {
  const flow& f = c_.of(by);
  const flow& peer = c_.of(other(by));
  const bool before_words = by == side::opener && peer.bytes == 0 && !peer.fin;
  const bool no_direction = peer.segments == 0;  // then its silence proves nothing
  prove(c_.handshake_done);
  if (before_words && f.bytes == 0 && !no_direction) {
    could_also_be(ending::peer_reset);
    const char* when = c_.handshake_done ? "after the handshake" : "instead of completing the handshake";
    return conclude(
        ending::aborted_before_accept, culprit::opener,
        fmt::format("the opener sent RST in packet {} {}, before a byte was said; packets cannot tell "
                    "whether accept had returned",
                    f.rst->number, when));
  }
  if (before_words && (c_.opener_seen || c_.of(side::responder).syn))
    could_also_be(ending::aborted_before_accept);
  if (peer.fin) could_also_be(ending::completed);
  prove(peer.fin);
  conclude(ending::peer_reset, culprit_of(by),
           fmt::format(
               "{} sent RST in packet {} on an established connection, after {} bytes of its own and {} of "
               "the other side",
               name_of(by), f.rst->number, f.bytes, peer.bytes));
}

/// A bare RST that answers a segment: its sender knew of no such connection.
void teller::tell_reset_by_stranger(side by) {
  const flow& f = c_.of(by);
  const flow& peer = c_.of(other(by));
  could_also_be(ending::peer_reset);
  if (by == side::opener && f.bytes == 0 && peer.bytes == 0) could_also_be(ending::aborted_before_accept);
  prove(f.heard_before_rst);
  half_open(f.heard_before_rst, f.rst->when);
  conclude(
      ending::peer_rebooted, culprit_of(by),
      fmt::format("RST without ACK in packet {}, after no FIN: it comes from a host without such a socket: a "
                  "reboot, a firewall's reject, or the silent destruction of the socket",
                  f.rst->number));
}

/// An RST that bears the victim's address and does not look like one of its packets.
void teller::tell_forged(side victim) {
  const flow& f = c_.of(victim);
  std::string sign;
  if (f.rst_misfit == reset_misfit::ttl)
    sign = fmt::format("its TTL is {}, and that of the other packets {}", f.rst_ttl,
                       f.ttl_least == f.ttl_most ? fmt::format("{}", f.ttl_least)
                                                 : fmt::format("{} to {}", f.ttl_least, f.ttl_most));
  else if (f.rst_misfit == reset_misfit::ip_id)
    sign = "its IP identification is far from the row that the others keep";
  else if (f.rst_misfit == reset_misfit::sequence)
    sign = "its sequence number is none that this host had reached";
  else
    sign = fmt::format("{} segments of the same host follow it", f.said_after_rst);
  if (f.rst_kind == reset_kind::no_socket) could_also_be(ending::peer_rebooted);
  std::string why = fmt::format(
      "RST in packet {} bears the address of {}, but {}: a middlebox sent it, or a "
      "host whose RSTs differ from its other packets",
      f.rst->number, name_of(victim), sign);
  also(manner::middlebox_reset, why);
  but(doubt::forged_packets,
      fmt::format("the RST of packet {} may not be of {}", f.rst->number, name_of(victim)));
  half_open(f.heard_before_rst, f.rst->when);
  conclude(ending::peer_reset, culprit::middlebox, std::move(why));
}

// ---- 4. silence --------------------------------------------------------------------

/// `survivor` talks to nobody. `given_up`: the RST with which it said so.
void teller::tell_silence(side survivor, std::optional<mark> given_up) {
  const side dead = other(survivor);
  const flow& f = c_.of(survivor);
  if (c_.of(dead).fin && owed_by(dead)) return tell_half_closed(dead);
  const auto last_repeat = later(f.last_retransmission, f.last_probe);
  prove(c_.of(dead).last_heard);
  prove(last_repeat);
  half_open(c_.of(dead).last_heard, given_up ? given_up->when : end());
  if (const auto icmp = notice_since_heard(c_.last_heeded_icmp, survivor))
    return tell_unreachable(survivor, *icmp);

  std::string outcome = fmt::format("it gave up in silence or was still trying when {}", watch_end());
  if (given_up)
    outcome = fmt::format("it gave up with RST in packet {}", given_up->number);
  else if (hints_.capture_end && *hints_.capture_end - c_.last.when >= 1s)
    outcome =
        fmt::format("nothing came in the {:.1f} s until {}, so it gave up or waits longer and longer",
                    std::chrono::duration<double>(*hints_.capture_end - c_.last.when).count(), watch_end());
  if (const auto icmp = notice_since_heard(c_.last_icmp, survivor)) {
    could_also_be(ending_of(icmp->what));
    prove(icmp->where);
    outcome += fmt::format("; ICMP {} in packet {} quotes nothing that was in flight, which Linux ignores",
                           words_of(icmp->what), icmp->where.number);
  }
  conclude(
      ending::peer_vanished, culprit::nobody,
      fmt::format("{} sent {} segments without an answer, {} of them repeats or keepalive probes, last in "
                  "packet {}: {}",
                  name_of(survivor), f.unanswered, f.repeats_unanswered,
                  last_repeat ? last_repeat->number : c_.last.number, outcome));
}

void teller::tell_unreachable(side survivor, const icmp_notice& icmp) {
  prove(icmp.where);
  if (icmp.what == unreachable::port) could_also_be(ending::peer_vanished);
  conclude(ending_of(icmp.what), culprit::router,
           fmt::format(
               "{} answered a segment of {} with ICMP {} in packet {}, and nothing came from the other side",
               icmp.router.to_string(), name_of(survivor), words_of(icmp.what), icmp.where.number));
}

}  // namespace halfopen::trace
