// The rules for RST and for silence: the ends that somebody suffers.
//
// Packets do not tell everything. A reset looks the same before accept and after
// it; a reborn host's RST is also a firewall's, or that of a host whose socket was
// destroyed; death by retransmission sends nothing at all (Linux net/ipv4/
// tcp_timer.c tcp_write_err), while death by keepalive sends the same RST+ACK as
// an abort (tcp_keepalive_timer, tcp_send_active_reset). Where two endings fit,
// the likelier is told, the other is in also_possible, and `why` says so.

#include <fmt/format.h>

#include <algorithm>

#include "trace/teller.hpp"

namespace halfopen::trace {

using namespace std::chrono_literals;

// ---- 3. RST ------------------------------------------------------------------------

void teller::tell_reset(side by) {
  const flow& f = c_.of(by);
  const side peer = other(by);
  prove(f.rst);
  const author who = author_of_reset(by);
  if (who == author::middlebox || who == author::middlebox_likely) return tell_forged(by, who);
  if (who == author::unknown) story_.sure_by = confidence::possible;
  // Packets that come from two distances are of two machines (a load balancer and what is behind it).
  constexpr int one_path = 5;
  if (f.ttl_least + one_path < f.ttl_most) story_.sure_by = std::max(story_.sure_by, confidence::likely);
  if (const auto silence = silence_of(by, f.rst)) return tell_silence(by, f.rst, *silence);
  // Before the third packet of the handshake there is nothing to be reset.
  const bool opened = c_.handshake_done || f.bytes > 0 || c_.of(peer).bytes > 0 || !c_.opener_seen;
  if (by == side::opener && !opened && c_.of(peer).syn) return tell_cancelled();
  const bool fin_first = f.fin && f.fin->number <= f.rst->number;
  const bool all_said = f.unsaid_at_rst == 0 && f.unheard_at_rst == 0;
  const auto& last_fin = fin_first ? f.fin : c_.of(peer).fin;
  const bool owing = owed_by(fin_first ? by : peer) == confidence::certain;
  if (last_fin && all_said && !owing) return tell_abortive_close(by, fin_first ? by : peer);
  if (fin_first) return tell_closed_then_reset(by);
  if (c_.of(peer).fin && c_.of(peer).fin_acked && owing) return tell_closed_then_reset(peer);
  if (f.rst_kind == reset_kind::no_socket) return tell_bare_reset(by);
  tell_aborted(by);
}

/// SYN, SYN+ACK, RST: the opener did not want the answer any more when it came. A program that
/// closes its socket while it connects, and one of two attempts (RFC 8305) that came second, look
/// like a scanner, which never wanted more than the SYN+ACK.
void teller::tell_cancelled() {
  const flow& f = c_.of(side::opener);
  const mark answer = *c_.of(side::responder).syn;
  const auto from = f.syn ? f.syn->when : c_.first.when;
  prove(f.syn);
  prove(answer);
  could_also_be(ending::deadline_passed);
  std::string why = fmt::format(
      "{} answered the SYN+ACK of packet {} by RST in packet {}, {:.3f} s after its SYN: it had "
      "given the "
      "connect up meanwhile, or never wanted more (a port scan)",
      name_of(side::opener), answer.number, f.rst->number,
      std::chrono::duration<double>(f.rst->when - from).count());
  also(manner::connect_cancelled, why);
  conclude(ending::aborted_before_accept, culprit::opener, std::move(why));
}

/// Somebody sent RST when nothing was left to say or to hear: `first` had closed with FIN, and each had
/// acknowledged the other's bytes.
void teller::tell_abortive_close(side by, side first) {
  const flow& closer = c_.of(first);
  const flow& f = c_.of(by);
  const bool heard = closer.fin_acked_at && closer.fin_acked_at->number <= f.rst->number;
  prove(closer.fin);
  prove(closer.fin_acked_at);
  could_also_be(ending::peer_reset);
  if (by == first || owed_by(first)) could_also_be(ending::peer_closed);
  std::string why = fmt::format(
      "{} closed with FIN in packet {}{}; all bytes had been acknowledged when {} sent RST in packet {}",
      name_of(first), closer.fin->number,
      heard ? fmt::format(", acknowledged in packet {}", closer.fin_acked_at->number) : std::string{},
      by == first ? "it" : name_of(by), f.rst->number);
  also(manner::abortive_close, why);
  surely(confidence::likely, heard ? confidence::certain : confidence::likely);  // of who closed
  conclude(ending::completed, culprit_of(first), std::move(why));
}

/// `closer` sent FIN, then somebody sent RST. What the other side's program got
/// first depends on whether the FIN had reached it.
void teller::tell_closed_then_reset(side closer) {
  const flow& f = c_.of(closer);
  const flow& peer = c_.of(other(closer));
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
  if (const auto owed = owed_by(closer)) {
    surely(*owed, *owed);
    prove(peer.first_data);
    could_also_be(ending::broken_pipe);
    if (*owed != confidence::certain) could_also_be(ending::completed);
    return conclude(ending::peer_closed, culprit_of(closer),
                    fmt::format("{} sent FIN in packet {} {}; RST followed in packet {}", name_of(closer),
                                f.fin->number, debt_of(closer), reset.number));
  }
  // After the FIN a Linux program that writes again gets EPIPE, not ECONNRESET. What it wrote may
  // have been a farewell that nobody needs (TLS close_notify).
  could_also_be(ending::broken_pipe);
  could_also_be(ending::completed);
  const std::uint64_t late = peer.bytes_after_fin_of_other;
  if (late > 0) prove(peer.last_data);
  surely(confidence::likely, confidence::certain);
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
    surely(confidence::likely, story_.sure_by);
    const char* when = c_.handshake_done ? "after the handshake" : "instead of completing the handshake";
    return conclude(ending::aborted_before_accept, culprit::opener,
                    fmt::format("{} sent RST in packet {} {}, before a byte was said; packets cannot tell "
                                "whether accept had returned",
                                name_of(side::opener), f.rst->number, when));
  }
  if (before_words && (c_.opener_seen || c_.of(side::responder).syn))
    could_also_be(ending::aborted_before_accept);
  if (no_direction && f.bytes == 0) {
    surely(confidence::possible, std::max(story_.sure_by, confidence::likely));
    could_also_be(ending::completed);
    return conclude(
        ending::peer_reset, culprit_of(by),
        fmt::format("{} sent RST in packet {}; the capture holds nothing of the other side, and so not what "
                    "it answers or ends",
                    name_of(by), f.rst->number));
  }
  std::string why = fmt::format("{} sent RST in packet {} after {} bytes of its own and {} of the other side",
                                name_of(by), f.rst->number, f.bytes, peer.bytes);
  if (peer.fin) {
    prove(peer.fin);
    could_also_be(ending::completed);
    why += fmt::format(", which had sent FIN in packet {}", peer.fin->number);
  } else {
    why = fmt::format(
        "{} sent RST in packet {} on an established connection, after {} bytes of its own and {} of "
        "the other side",
        name_of(by), f.rst->number, f.bytes, peer.bytes);
  }
  if (f.unsaid_at_rst > 0) why += fmt::format("; {} of its bytes had not been acknowledged", f.unsaid_at_rst);
  // One unanswered repeat is a doubt and no death: see verdicts.cpp.
  if (f.repeats_unanswered > 0) {
    could_also_be(ending::peer_vanished);
    surely(confidence::likely, confidence::likely);
    why += fmt::format("; {} of its segments, repeats or keepalive probes, had no answer before",
                       f.repeats_unanswered);
  }
  conclude(ending::peer_reset, culprit_of(by), std::move(why));
}

/// An RST without ACK. A live socket does not send one: somebody without such a socket answers,
/// or somebody on the way has had enough.
void teller::tell_bare_reset(side by) {
  const flow& f = c_.of(by);
  const flow& peer = c_.of(other(by));
  surely(confidence::likely, std::max(story_.sure_by, confidence::likely));
  prove(f.heard_before_rst);
  if (by == side::opener && f.bytes == 0 && peer.bytes == 0) could_also_be(ending::aborted_before_accept);
  const bool closed = f.fin || peer.fin;
  if (closed) could_also_be(ending::completed);
  if (!f.rst_answers) {
    const auto last =
        later(f.heard_before_rst,
              peer.last_heard && peer.last_heard->number < f.rst->number ? peer.last_heard : optional_mark{});
    return conclude(
        ending::peer_reset, culprit_of(by),
        fmt::format(
            "RST without ACK from {} in packet {}{}, which answers no segment: it was sent unasked, by {} or "
            "by a load balancer or firewall that ended the connection",
            name_of(by), f.rst->number,
            last ? fmt::format(", {:.1f} s after the packet before",
                               std::chrono::duration<double>(f.rst->when - last->when).count())
                 : std::string{},
            name_of(by)));
  }
  prove(f.rst_answers);
  half_open(f.heard_before_rst, f.rst->when);
  const bool rebooted = may_have_rebooted({.answers = true,
                                           .established = f.rst_established || f.bytes > 0 || peer.bytes > 0,
                                           .said_fin = f.fin.has_value()});
  if (rebooted) could_also_be(ending::peer_rebooted);
  conclude(
      ending::peer_reset, culprit_of(by),
      fmt::format(
          "RST without ACK in packet {} answers packet {}{}: whoever sent it has no such socket (any more): "
          "it "
          "was closed or destroyed in silence, a firewall or load balancer rejects, or the host rebooted",
          f.rst->number, f.rst_answers->number, f.fin ? "" : ", after no FIN"));
}

/// An RST that bears the victim's address, and its host did not send it.
void teller::tell_forged(side victim, author who) {
  const flow& f = c_.of(victim);
  std::string signs;
  const auto sign = [&signs](std::string text) {
    signs += (signs.empty() ? "" : ", and ") + std::move(text);
  };
  if (f.rst_other_ttl)
    sign(fmt::format("its TTL is {}, and that of the other {} packets {}", f.rst_ttl, f.ttl_behind,
                     f.ttl_least));
  if (f.rst_ahead) sign("its sequence number is one that this host had not reached");
  if (f.went_on > 0) {
    prove(f.went_on_at);
    sign(fmt::format("the host goes on with its next bytes in packet {}", f.went_on_at->number));
  }
  if (f.rst_kind == reset_kind::no_socket && f.rst_answers) could_also_be(ending::peer_rebooted);
  std::string why =
      fmt::format("RST in packet {} bears the address of {}, but {}: a middlebox {}sent it", f.rst->number,
                  name_of(victim), signs, who == author::middlebox ? "" : "may have ");
  also(manner::middlebox_reset, why);
  prove(f.heard_before_rst);
  half_open(f.heard_before_rst, f.rst->when);
  const confidence sure = who == author::middlebox ? confidence::certain : confidence::likely;
  surely(sure, sure);
  conclude(ending::peer_reset, culprit::middlebox, std::move(why));
}

// ---- 4. silence --------------------------------------------------------------------

/// `survivor` talks to nobody. `given_up`: the RST with which it said so.
void teller::tell_silence(side survivor, std::optional<mark> given_up, confidence sure) {
  const side dead = other(survivor);
  const flow& f = c_.of(survivor);
  const flow& gone = c_.of(dead);
  if (gone.fin && owed_by(dead) == confidence::certain) return tell_half_closed(dead);
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
  if (lacks(dead))
    outcome += fmt::format("; but the capture lacks packets of {}, so its answers may be missing too",
                           name_of(dead));
  if (gone.fin && gone.fin_acked) {
    prove(gone.fin);
    could_also_be(ending::peer_vanished);
    surely(confidence::likely, confidence::certain);
    return conclude(
        ending::peer_closed, culprit_of(dead),
        fmt::format("{} had closed with FIN in packet {}, acknowledged; after that {} sent {} segments "
                    "without an answer, "
                    "{} of them repeats or keepalive probes, last in packet {}: {}",
                    name_of(dead), gone.fin->number, name_of(survivor), f.unanswered, f.repeats_unanswered,
                    last_repeat ? last_repeat->number : c_.last.number, outcome));
  }
  surely(sure, sure);
  // A program's own limit ends the waiting the same way; only the kernel's own repeats do not stop early.
  if (sure != confidence::certain) could_also_be(ending::deadline_passed);
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
