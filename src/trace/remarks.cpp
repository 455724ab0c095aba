// What the packets show beside the ending, and what they leave open.
//
// The endings are thirteen words, since a program can do no more about more of them. A
// reader of an incident wants to know more: not only that a peer vanished, but that the
// keepalive found it out. So each of these remarks is asked for on its own, and none of
// them changes the ending.

#include <fmt/format.h>

#include "trace/teller.hpp"

namespace halfopen::trace {

using namespace std::chrono_literals;

namespace {

/// Linux keeps an orphaned half-closed connection for this long (tcp_fin_timeout, and its
/// TIME_WAIT, TCP_TIMEWAIT_LEN in include/net/tcp.h); whoever stays longer means it.
constexpr auto one_minute = 60s;

/// A window that closes for less is the ordinary course of flow control: Linux's first
/// window probe comes after the retransmission timeout, at least 200 ms.
constexpr auto long_stall = 200ms;

double seconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace

void teller::remark_all() {
  remark_opening();
  remark_half_close();
  for (const side s : {side::opener, side::responder}) {
    remark_window(s);
    remark_unread(s);
    note_knowledge(s);
  }
  remark_probes();
  const auto& fin = c_.of(side::opener).fin;
  if (c_.of(side::opener).fins_crossed && fin)
    also(manner::simultaneous_close, fmt::format("neither FIN, of packets {} and {}, had heard of the other",
                                                 fin->number, c_.of(side::responder).fin->number));
  remark_reuse();
  remark_fins();
  remark_author();
}

void teller::remark_opening() {
  const flow& opener = c_.of(side::opener);
  if (!never_opened() || c_.of(side::responder).rst || c_.of(side::responder).segments > 0) return;
  if (notice_since_heard(c_.last_heeded_icmp, side::opener) || !opener.syn) return;
  also(manner::never_answered, fmt::format("{} in packet {}, and nothing came back within {:.1f} s",
                                           opener.retransmissions > 0 ? "SYN, the first" : "one SYN",
                                           opener.syn->number, seconds(end() - opener.syn->when)));
}

void teller::remark_half_close() {
  const auto &ours = c_.of(side::opener).fin, &theirs = c_.of(side::responder).fin;
  if (!ours && !theirs) return;
  const bool opener_first = ours && (!theirs || ours->number < theirs->number);
  const side first = opener_first ? side::opener : side::responder;
  if (one_direction(first) || lacks(other(first))) return;  // its FIN may not have been captured
  const auto& second = opener_first ? theirs : ours;
  const auto reset = first_reset();
  const time_point until = second ? second->when : reset ? c_.of(*reset).rst->when : end();
  const auto passed = until - c_.of(first).fin->when;
  if (passed >= one_minute)
    also(manner::half_closed_long,
         fmt::format("{} sent FIN in packet {}, and {} had not sent its own {:.0f} s later", name_of(first),
                     c_.of(first).fin->number, name_of(other(first)), seconds(passed)));
}

/// The window of `s` was closed at the end: it took nothing any more, and the other side
/// had something to say.
void teller::remark_window(side s) {
  const flow& f = c_.of(s);
  if (!f.zero_window_since || f.probes_of_window == 0) return;
  if (c_.of(s).fin && c_.of(other(s)).fin) return;
  const auto reset = first_reset();
  const time_point until = reset ? c_.of(*reset).rst->when : end();
  const auto closed = until - f.zero_window_since->when;
  if (closed < long_stall) return;
  prove(f.zero_window_since);
  also(manner::zero_window_stall,
       fmt::format(
           "the receive window of {} was closed in packet {} and not opened again in {:.1f} s; {} sent {} "
           "segments meanwhile",
           name_of(s), f.zero_window_since->number, seconds(closed), name_of(other(s)), f.probes_of_window));
}

void teller::remark_probes() {
  if (!story_.ended || story_.how != ending::peer_vanished) return;
  const side survivor =
      c_.of(side::opener).unanswered >= c_.of(side::responder).unanswered ? side::opener : side::responder;
  const flow& f = c_.of(survivor);
  const bool by_probe =
      f.last_probe && (!f.last_retransmission || f.last_retransmission->number < f.last_probe->number);
  if (!by_probe) return;
  also(manner::keepalive_failure,
       fmt::format("{} keepalive probes of {}, the last in packet {}, were not answered",
                   f.repeats_unanswered, name_of(survivor), f.last_probe->number));
}

/// RFC 1122 section 4.2.2.13 demands a reset where data comes after close(2), or was there unread
/// when it was called. Of the second nothing is seen: an acknowledgement says that the kernel took
/// the data, and not whether a program read it.
void teller::remark_unread(side by) {
  const flow& f = c_.of(by);
  const flow& peer = c_.of(other(by));
  if (!f.rst || !peer.last_data || author_of_reset(by) != author::host) return;
  const bool closed = f.fin && f.fin->number < f.rst->number;
  const bool later = closed && peer.bytes_after_fin_of_other > 0 && peer.last_data->number > f.fin->number &&
                     peer.last_data->number < f.rst->number;
  const auto sure = unread({.closed = closed,
                            .came_later = later,
                            .unheard = f.unheard_at_rst,
                            .answers = f.rst_answers.has_value()});
  if (!sure) return;
  prove(peer.last_data);
  also(manner::unread_data,
       fmt::format("data of {} in packet {} came after the FIN of packet {}, {} bytes of it were never "
                   "acknowledged, and RST {} it in packet {}",
                   name_of(other(by)), peer.last_data->number, f.fin->number, f.unheard_at_rst,
                   *sure == confidence::certain ? "answered" : "followed", f.rst->number));
}

/// A FIN that nobody acknowledges, however often it is sent: the other side's last word may be that it
/// had closed itself, but of this side's farewell it never heard.
void teller::remark_fins() {
  for (const side s : {side::opener, side::responder}) {
    const flow& f = c_.of(s);
    if (!f.fin || f.fin_acked || f.fin_repeats < 2 || !f.last_fin) continue;
    if (c_.of(other(s)).rst || one_direction(s) || lacks(other(s))) continue;
    prove(f.last_fin);
    also(
        manner::fin_unanswered,
        fmt::format("the FIN of {} in packet {} was sent {} times, last in packet {}, and never acknowledged",
                    name_of(s), f.fin->number, f.fin_repeats + 1, f.last_fin->number));
    if (!story_.ended || story_.how != ending::completed) continue;
    surely(confidence::likely, story_.sure_by);
    could_also_be(ending::peer_vanished);
  }
}

/// An RST that somebody else may have sent, where that was not reason enough to say so.
void teller::remark_author() {
  for (const side s : {side::opener, side::responder}) {
    const flow& f = c_.of(s);
    if (f.rst_not_heeded && (!f.rst || f.rst->number != f.rst_not_heeded->number))
      but(doubt::forged_packets,
          fmt::format("the RST of packet {} bears the address of {}, but was not heeded: both went on",
                      f.rst_not_heeded->number, name_of(s)));
    if (!f.rst || author_of_reset(s) == author::host) continue;
    if (story_.has(manner::middlebox_reset)) {
      but(doubt::forged_packets,
          fmt::format("the RST of packet {} may not be of {}", f.rst->number, name_of(s)));
      continue;
    }
    std::string sign;
    if (f.went_on > 0)
      sign = fmt::format("{} of the host's segments follow it", f.went_on);
    else if (f.rst_other_ttl)
      sign = fmt::format("its TTL is {}, and that of the other {} packets {}", f.rst_ttl, f.ttl_behind,
                         f.ttl_least == f.ttl_most ? fmt::format("{}", f.ttl_least)
                                                   : fmt::format("{} to {}", f.ttl_least, f.ttl_most));
    else
      sign = "its sequence number is one that this host had not reached";
    but(doubt::forged_packets, fmt::format("the RST of packet {}: {}; some systems' RSTs differ so from "
                                           "their other packets, and a middlebox's do",
                                           f.rst->number, sign));
  }
}

void teller::remark_reuse() {
  if (!hints_.reused_at) return;
  const auto passed = hints_.reused_at->when - c_.last.when;
  const flow &opener = c_.of(side::opener), &responder = c_.of(side::responder);
  if (took_time_wait({.both_fins_acked = opener.fin_acked && responder.fin_acked,
                      .reset = opener.rst || responder.rst,
                      .capture_lacks = lacks(side::opener) || lacks(side::responder),
                      .since = passed}))
    return also(manner::time_wait_reuse,
                fmt::format("a new connection took the four-tuple with the SYN of packet {}, "
                            "{:.1f} s after the last packet of this one",
                            hints_.reused_at->number, seconds(passed)));
  if (!story_.ended)
    story_.why += fmt::format("; the SYN of packet {} began another connection between the same ports",
                              hints_.reused_at->number);
}

/// What `s` is told by others, or shows that it knows. Of its own FIN it is not told.
void teller::note_knowledge(side s) {
  const auto earlier = [&](const std::optional<mark>& m) {
    auto& known = story_.could_know[static_cast<std::size_t>(s)];
    if (m && (!known || m->number < known->number)) known = m;
  };
  // What was sent to a host that no longer hears is not known to it.
  const bool unreachable = story_.how == ending::host_unreachable || story_.how == ending::net_unreachable;
  const bool by_silence = story_.ended && (story_.how == ending::peer_vanished || unreachable);
  const bool deaf = by_silence && c_.of(s).unanswered <= c_.of(other(s)).unanswered;
  if (c_.of(other(s)).fin_acked) earlier(c_.of(other(s)).fin);
  if (!deaf) earlier(c_.of(other(s)).rst);
  earlier(c_.of(s).rst);
  const bool by_router = story_.ended && story_.by == culprit::router;
  if (by_router && c_.last_heeded_icmp && c_.last_heeded_icmp->about == s)
    earlier(c_.last_heeded_icmp->where);
}

// ---- doubts ----------------------------------------------------------------------

void teller::doubt_all() {
  const flow& opener = c_.of(side::opener);
  const flow& responder = c_.of(side::responder);
  if (!c_.opener_seen)
    but(doubt::began_before,
        responder.syn
            ? fmt::format("the SYN itself was not captured, only its answer in packet {}",
                          responder.syn->number)
            : std::string{"the capture holds no SYN of it: who opened it is a guess by the ports, and bytes "
                          "count from the first packet"});
  for (const side s : {side::opener, side::responder})
    if (c_.of(s).segments == 0 && !story_.has(manner::never_answered) && c_.of(other(s)).segments > 0 &&
        (c_.handshake_done || !never_opened()))
      but(doubt::one_direction, fmt::format("no packet of {} was captured", name_of(s)));
  for (const side s : {side::opener, side::responder})
    if (c_.of(s).missed > 0 && c_.of(s).segments > 0)
      but(doubt::missed_packets,
          fmt::format("{} bytes of {} were acknowledged, but not captured", c_.of(s).missed, name_of(s)));
  if (const auto twice = opener.duplicates + responder.duplicates; twice > 0)
    but(doubt::captured_twice, fmt::format("{} packets were captured twice and count once", twice));
  if (opener.jumps + responder.jumps > 0)
    but(doubt::missed_packets,
        "an acknowledgement is too far ahead to be of what was captured: the capture lacks "
        "packets, or holds some of another connection");
  if (c_.backwards > 0)
    but(doubt::time_backwards,
        fmt::format("{} of its packets were captured earlier than the one before them", c_.backwards));
  doubt_silence();
  if (hints_.until == watched::until_full)
    but(doubt::watch_given_up,
        "it was followed no further than this: too many connections were open at one time");
  else if (hints_.until == watched::until_idle)
    but(doubt::watch_given_up,
        fmt::format("it was followed no further, after {:.0f} s of silence", seconds(end() - c_.last.when)));
  else if (!story_.ended && !hints_.reused_at)
    but(doubt::still_open, "it had not ended when the capture stopped");
}

/// One unanswered repeat, or some: not enough to call somebody dead.
void teller::doubt_silence() {
  if (story_.ended || never_opened()) return;
  for (const side s : {side::opener, side::responder}) {
    const flow& f = c_.of(s);
    const auto repeat = later(f.last_retransmission, f.last_probe);
    if (f.repeats_unanswered == 0 || !repeat) continue;
    if (c_.of(other(s)).segments == 0 && c_.handshake_done) continue;  // one direction only
    if (story_.also_possible.empty()) could_also_be(ending::peer_vanished);
    but(doubt::unanswered,
        fmt::format(
            "{} repeats or keepalive probes of {}, the last in packet {}, had no answer within {:.1f} s",
            f.repeats_unanswered, name_of(s), repeat->number, seconds(end() - repeat->when)));
  }
}

// ---- names -----------------------------------------------------------------------

bool story::has(manner m) const noexcept {
  return std::ranges::any_of(manners, [m](const auto& r) { return r.what == m; });
}
bool story::has(doubt d) const noexcept {
  return std::ranges::any_of(doubts, [d](const auto& r) { return r.what == d; });
}

std::string_view to_string(manner m) noexcept {
  switch (m) {
    case manner::never_answered:
      return "never_answered";
    case manner::half_closed_long:
      return "half_closed_long";
    case manner::middlebox_reset:
      return "middlebox_reset";
    case manner::zero_window_stall:
      return "zero_window_stall";
    case manner::keepalive_failure:
      return "keepalive_failure";
    case manner::unread_data:
      return "unread_data";
    case manner::simultaneous_close:
      return "simultaneous_close";
    case manner::time_wait_reuse:
      return "time_wait_reuse";
    case manner::connect_cancelled:
      return "connect_cancelled";
    case manner::abortive_close:
      return "abortive_close";
    case manner::fin_unanswered:
      return "fin_unanswered";
  }
  return "?";
}

std::string_view to_string(doubt d) noexcept {
  switch (d) {
    case doubt::began_before:
      return "began_before";
    case doubt::one_direction:
      return "one_direction";
    case doubt::missed_packets:
      return "missed_packets";
    case doubt::captured_twice:
      return "captured_twice";
    case doubt::still_open:
      return "still_open";
    case doubt::watch_given_up:
      return "watch_given_up";
    case doubt::forged_packets:
      return "forged_packets";
    case doubt::time_backwards:
      return "time_backwards";
    case doubt::unanswered:
      return "unanswered";
  }
  return "?";
}

}  // namespace halfopen::trace
