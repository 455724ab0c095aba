// Following one connection, segment by segment, in constant memory.
//
// Keeping every segment, or a list of the byte ranges seen, would answer more
// questions (which hole was filled by what), but a capture may hold a hundred
// thousand connections of a gigabyte each. What endings need fits into two
// offsets a side: how far it has spoken, and how far the other has acknowledged.
//
// - Sequence numbers are compared mod 2^32 (RFC 9293 section 3.4) and then kept
//   as 64-bit offsets, taking the value nearest to the last known one. A segment
//   further than the largest window (2^30, RFC 7323 section 2.3) away is no part of
//   the stream: a forged packet or another connection's.
// - A keepalive probe says again what was acknowledged long ago: its sequence
//   number is one below the next (RFC 9293 section 3.8.4; Linux tcp_xmit_probe_skb).
//   Old stacks put one byte of garbage into it.
// - A capture that begins in mid-connection has no SYN: then the first sequence
//   number seen, or the other side's first acknowledgement, is taken for offset 0.
// - A capture may hold a packet twice; then it is no retransmission.
// - A capture may have missed packets, or a whole direction. An acknowledgement of
//   bytes that were never seen proves that they were sent, and that their sender
//   was alive.

#include "trace/follow.hpp"

#include <algorithm>
#include <utility>

namespace halfopen::trace {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t largest_window = std::int64_t{1} << 30U;

/// No window that a system offers by itself is larger than some megabytes (Linux: net.ipv4.tcp_rmem,
/// 6 MB). An acknowledgement that is further ahead is another connection's, or the capture has a gap
/// of which nobody can say how wide it is.
constexpr std::int64_t furthest_ack = std::int64_t{64} << 20U;

/// Packets come out of order by that much where several queues or interfaces were captured.
constexpr auto out_of_order = 10ms;

/// Whoever answers has the segment's numbers before it, and no path takes so long.
constexpr auto latest_answer = 1s;

[[nodiscard]] bool near(std::int64_t a, std::int64_t b) noexcept {
  return a - b <= largest_window && b - a <= largest_window;
}

/// RFC 9293 section 3.10.7.1: the answer of a host without such a socket to a
/// segment without an ACK has sequence number 0.
[[nodiscard]] bool looks_like_refusal(const tcp_segment& t) noexcept {
  return t.has(rst | ack) && t.sequence == 0 && t.window == 0;
}

/// Whether the segment's sender opened the connection. Without a SYN the higher
/// port is taken for the client's: ephemeral ports are above the services'
/// (RFC 6335 section 6).
[[nodiscard]] bool from_opener(const tcp_segment& t) noexcept {
  if (t.has(syn)) return !t.has(ack);
  if (looks_like_refusal(t)) return false;
  return t.source.port >= t.destination.port;
}

void remember_repeat(optional_mark& first, optional_mark& last, const mark& where) noexcept {
  if (!first) first = where;
  last = where;
}

}  // namespace

std::int64_t stream_position::offset_of(std::uint32_t sequence) const noexcept {
  const std::uint32_t at_next = base.value_or(0) + static_cast<std::uint32_t>(next);
  return next + static_cast<std::int32_t>(sequence - at_next);
}

followed::followed(const tcp_segment& first, const mark& where) noexcept {
  record_.opener = first.source;
  record_.responder = first.destination;
  if (!from_opener(first)) std::swap(record_.opener, record_.responder);
  record_.first = record_.last = where;
}

void followed::fetch() const noexcept {
  const auto lines = [](const void* from, std::size_t size) {
    constexpr std::size_t cache_line = 64;
    for (std::size_t at = 0; at < size; at += cache_line)
      __builtin_prefetch(static_cast<const std::byte*>(from) + at, 1);
  };
  const auto reach = [](const auto& from, const auto& to) {
    return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&to) -
                                    reinterpret_cast<const std::byte*>(&from));
  };
  lines(&previous, reach(previous, record_.flows[0].initial_sequence));
  lines(&record_.flows[1], reach(record_.flows[1], record_.flows[1].initial_sequence));
  lines(&positions_, reach(positions_, ended_));
}

bool followed::was_reset() const noexcept {
  return record_.of(side::opener).rst || record_.of(side::responder).rst;
}

bool followed::only_syns() const noexcept {
  return record_.of(side::opener).initial_sequence && !record_.of(side::responder).initial_sequence &&
         !record_.handshake_done;
}

bool followed::is_over_for(const packet& p, side from) const noexcept {
  const tcp_segment& t = p.tcp;
  if (!t.has(syn)) return false;
  const bool same = at(from).base == t.sequence + 1;
  if (same && is_from_the_past(p, from)) return false;
  if (t.has(ack)) {
    const bool had_no_syn = !record_.of(from).initial_sequence && !record_.of(other(from)).initial_sequence;
    return !same && !only_syns() && (record_.handshake_done || ended() || had_no_syn);
  }
  if (ended()) return !(same && from == side::opener && only_syns());  // refused, and tried again
  if (at(from).base) return !same;
  return !only_syns();  // else both opened at once (RFC 9293 section 3.5, figure 7)
}

// A host that was reborn opens a connection from the port it had before: the
// other side, which still knows the old one, answers the SYN with an ACK of the
// old numbers, and the reborn host answers that with an RST (RFC 9293 section
// 3.5.1, figure 9). Both belong to the old connection, and end it.
bool followed::is_too_young_for(const tcp_segment& t, side from) const noexcept {
  if (t.has(syn) || !only_syns()) return false;
  const stream_position& opened = at(side::opener);
  if (from == side::opener) return opened.base != t.sequence;
  if (!t.has(ack)) return false;
  const std::int64_t acked = opened.offset_of(t.acknowledgement);
  return acked < 0 || acked > opened.next;
}

// A file that was written twice in a row, or files that overlap, hold what was already taken
// in: by its time it lies in the past, and it says nothing new.
bool followed::is_from_the_past(const packet& p, side from) const noexcept {
  const bool earlier = replayed_ ? p.when <= record_.last.when : p.when + out_of_order < record_.last.when;
  return earlier && says_nothing_new(p.tcp, from);
}

bool followed::says_nothing_new(const tcp_segment& t, side from) const noexcept {
  const flow& f = record_.of(from);
  const stream_position &own = at(from), &theirs = at(other(from));
  if (t.has(syn)) return f.initial_sequence == t.sequence;
  if (!own.base || (t.has(rst) && !f.rst)) return false;
  const std::int64_t end = own.offset_of(t.sequence) + t.length + (t.has(fin) ? 1 : 0);
  if (end > own.next || !near(end, own.next)) return false;
  return !t.has(ack) || (theirs.base && theirs.offset_of(t.acknowledgement) <= theirs.acked);
}

/// "Which connection? I know an older one" and its answer: neither is of this connection.
bool followed::take_challenge(const tcp_segment& t, side from, const mark& where) noexcept {
  if (!only_syns() || t.has(syn)) return false;
  if (from == side::responder) {
    const bool fits = is_too_young_for(t, from);
    if (!fits || t.has_any(rst)) return false;
    record_.challenge = where;
    challenge_ = t.acknowledgement;
    return true;
  }
  if (!record_.challenge || !t.has(rst) || t.sequence != challenge_) return false;
  record_.challenge_answered = where;
  return true;
}

void followed::take_copy(const packet& p, side from) noexcept {
  if (replayed_ && p.when > record_.last.when) replayed_ = false;
  // No time of one connection is before another that was captured earlier: an interval would be negative.
  record_.last = {p.number, std::max(p.when, record_.last.when)};
  ++record_.of(from).duplicates;
}

void followed::take(const packet& p, side from, bool next_of_host) noexcept {
  const tcp_segment& t = p.tcp;
  flow& f = record_.of(from);
  if (p.when < record_.last.when) {
    if (is_from_the_past(p, from)) {
      replayed_ = true;
      return take_copy(p, from);
    }
    ++record_.backwards;
  }
  if (replayed_ && p.when > record_.last.when) replayed_ = false;
  const mark where{p.number, std::max(p.when, record_.last.when)};
  record_.last = where;
  if (take_challenge(t, from, where)) {
    ++f.segments;
    return;
  }
  if (t.has(rst)) return take_reset(p, from, where, next_of_host);
  ++f.segments;
  const std::optional<mark> before = f.last_heard;
  f.last_heard = where;
  const bool first_fin = t.has(fin) && !f.fin;
  finding found = t.has(syn) ? note_syn(t, from, where) : note_content(t, from, where);
  if (t.has(ack)) found.acked_something = note_ack(t, from, where);
  if (first_fin) {
    flow& theirs = record_.of(other(from));
    f.heard_at_fin = theirs.acked;
    f.fins_crossed = theirs.fins_crossed = f.fin && theirs.fin && !theirs.fin_acked;
    ended_ = ended_ || (f.fin && theirs.fin);
  }
  note_handshake(t, from, where);
  note_silence(from, found, where, before);
  note_origin(p, from);
  note_window(t, from, where);
}

// ---- what an RST is compared with --------------------------------------------

void followed::note_origin(const packet& p, side from) noexcept {
  flow& f = record_.of(from);
  f.ttl_least = std::min(f.ttl_least, p.ttl);
  f.ttl_most = std::max(f.ttl_most, p.ttl);
  if (f.ttl_behind < UINT8_MAX) ++f.ttl_behind;
  stream_position& own = at(from);
  if (p.tcp.has(ack) && p.tcp.acknowledgement != own.asks) {
    own.asked_before = own.asks;
    own.asks = p.tcp.acknowledgement;
  }
  own.ids.take(p.ip_id);
}

// Whoever forges an RST sees the packets pass by and copies their numbers, but not the
// way that they have come. See Weaver, Sommer, Paxson, "Detecting Forged TCP Reset Packets",
// NDSS 2009. What of it is evidence is judged in verdicts.cpp.
void followed::compare_reset(const packet& p, side from, bool next_of_host) noexcept {
  flow& f = record_.of(from);
  flow& peer = record_.of(other(from));
  const stream_position &own = at(from), &theirs = at(other(from));
  f.rst_ttl = p.ttl;
  f.rst_other_ttl = f.ttl_behind > 0 && (p.ttl < f.ttl_least || p.ttl > f.ttl_most);
  f.rst_in_row = next_of_host || own.ids.goes_on_with(p.ip_id);
  // Of a host whose words were all captured: it resets at its own next byte, or at the one that
  // was asked for, and it has said all before either.
  const bool known = own.base && !own.guessed && f.missed == 0 && f.jumps == 0 && own.next >= 0;
  f.rst_ahead = known && f.segments > 0 && own.offset_of(p.tcp.sequence) > own.next;
  f.rst_established = record_.handshake_done || (!record_.opener_seen && !record_.of(side::responder).syn);
  const bool asked = f.rst_kind == reset_kind::no_socket && peer.last_heard && peer.unanswered > 0 &&
                     (p.tcp.sequence == theirs.asks || p.tcp.sequence == theirs.asked_before) &&
                     record_.last.when - peer.last_heard->when <= latest_answer;
  if (asked) f.rst_answers = peer.last_heard;
  const auto in_flight = [](const stream_position& s, const flow& whose) {
    const std::int64_t ends = whose.fin ? s.next - 1 : s.next;
    return static_cast<std::uint64_t>(std::max(ends - std::max(s.acked, std::int64_t{0}), std::int64_t{0}));
  };
  f.unsaid_at_rst = own.base ? in_flight(own, f) : 0;
  f.unheard_at_rst = theirs.base ? in_flight(theirs, peer) : 0;
}

/// It ended nothing.
void followed::forget_reset(side of) noexcept {
  flow& f = record_.of(of);
  f.rst.reset();
  f.rst_kind.reset();
  f.rst_answers.reset();
  f.heard_before_rst.reset();
  f.went_on_at.reset();
  f.went_on = 0;
  ended_ = record_.of(side::opener).fin && record_.of(side::responder).fin;
}

/// An RST's window says nothing, a SYN's is not yet scaled and never closed on purpose.
void followed::note_window(const tcp_segment& t, side from, const mark& where) noexcept {
  flow& f = record_.of(from);
  if (record_.of(other(from)).zero_window_since && !t.has_any(fin))
    ++record_.of(other(from)).probes_of_window;
  if (t.has(syn)) return;
  if (t.window == 0) {
    if (!f.zero_window_since) {
      f.zero_window_since = where;
      f.probes_of_window = 0;
      at(other(from)).was_shut = true;
    }
  } else if (f.zero_window_since) {
    f.zero_window_longest = std::max(f.zero_window_longest, where.when - f.zero_window_since->when);
    f.zero_window_since.reset();
  }
}

// ---- RST -------------------------------------------------------------------

bool followed::plausible_reset(const tcp_segment& t, side from) const noexcept {
  const stream_position& own = at(from);
  if (!own.base || near(own.offset_of(t.sequence), own.next)) return true;
  const stream_position& theirs = at(other(from));
  return t.has(ack) && theirs.base && near(theirs.offset_of(t.acknowledgement), theirs.next);
}

reset_kind followed::kind_of_reset(const tcp_segment& t, side from) const noexcept {
  if (!t.has(ack)) {
    // Some systems' sockets (Windows before Vista, load balancers) leave the flag out and fill the
    // number in all the same. Whoever has no socket knows no such number: Linux has 0 there, Windows
    // the sequence number again.
    const stream_position& theirs = at(other(from));
    const bool knows = t.acknowledgement != 0 && t.acknowledgement != t.sequence && theirs.base &&
                       theirs.offset_of(t.acknowledgement) == theirs.next;
    return knows ? reset_kind::live_socket : reset_kind::no_socket;
  }
  if (from == side::responder && only_syns() && record_.of(from).data_segments == 0)
    return reset_kind::to_syn;
  const bool alone = record_.of(from).segments == 0 && record_.of(other(from)).segments == 0;
  return alone && looks_like_refusal(t) ? reset_kind::to_syn : reset_kind::live_socket;
}

void followed::take_reset(const packet& p, side from, const mark& where, bool next_of_host) noexcept {
  const tcp_segment& t = p.tcp;
  flow& f = record_.of(from);
  if (!f.rst && plausible_reset(t, from)) {
    f.rst = where;
    ended_ = true;
    f.rst_kind = kind_of_reset(t, from);
    f.heard_before_rst = f.last_heard;
    stream_position& own = at(from);
    own.at_rst = own.base && near(own.offset_of(t.sequence), own.next)
                     ? std::max(own.next, own.offset_of(t.sequence))  // up to there it may be on its way
                     : own.next;
    if (t.has(ack)) note_ack(t, from, where);
    compare_reset(p, from, next_of_host);
  }
  ++f.segments;
  f.last_heard = where;
}

// ---- what a segment says ---------------------------------------------------

followed::finding followed::note_syn(const tcp_segment& t, side from, const mark& where) noexcept {
  flow& f = record_.of(from);
  stream_position& p = at(from);
  finding found;
  if (from == side::opener && !t.has(ack)) record_.opener_seen = true;
  if (p.base != t.sequence + 1) {
    p = stream_position{};
    p.base = t.sequence + 1;
    p.acked = -1;
  } else if (f.initial_sequence) {
    ++f.retransmissions;
    remember_repeat(f.first_retransmission, f.last_retransmission, where);
    found = {.repeat = true, .front = p.acked < 0};
  }
  if (found.repeat && ended_ && only_syns()) {  // the same attempt, once more
    const auto &ours = f.rst, &refusal = record_.of(other(from)).rst;
    if (!record_.first_attempt_rst) record_.first_attempt_rst = refusal ? refusal : ours;
    ++record_.attempts_before;
    forget_reset(from);
    forget_reset(other(from));
    f.unanswered = f.repeats_unanswered = 0;
  }
  p.guessed = false;
  f.initial_sequence = t.sequence;
  if (!f.syn) f.syn = where;
  if (t.length > 0 && !found.repeat) {  // TCP fast open (RFC 7413): a SYN may carry data
    note_new_payload(t, from, where, t.length);
    p.next = std::max(p.next, std::int64_t{t.length});
  }
  return found;
}

bool followed::is_probe(const tcp_segment& t, side from) const noexcept {
  if (t.has(fin) || t.length > 1) return false;
  const stream_position& p = at(from);
  const std::int64_t offset = p.offset_of(t.sequence);
  if (t.length == 1) return offset == p.next - 1 && p.acked == p.next;
  return offset == p.next - 1 || offset == p.acked - 1;
}

followed::finding followed::note_content(const tcp_segment& t, side from, const mark& where) noexcept {
  flow& f = record_.of(from);
  stream_position& p = at(from);
  if (!p.base) {
    p.base = t.sequence;
    p.guessed = true;
  }
  const std::int64_t offset = p.offset_of(t.sequence);
  if (!near(offset, p.next)) return {};
  if (is_probe(t, from)) {
    ++f.keepalive_probes;
    remember_repeat(f.first_probe, f.last_probe, where);
    return {.repeat = true, .front = true};
  }
  const bool ends = t.has(fin);
  if (t.length == 0 && !ends) return {};

  finding found;
  const std::int64_t payload_end = offset + t.length;
  const std::int64_t end = payload_end + (ends ? 1 : 0);
  if (offset < p.next) {
    ++f.retransmissions;
    remember_repeat(f.first_retransmission, f.last_retransmission, where);
    found = {.repeat = end <= p.next, .front = offset <= p.acked};
  }
  note_hole(p, offset, payload_end);
  if (f.rst && f.rst_established && t.length > 0 && offset == p.next && offset >= p.at_rst) {
    if (f.went_on++ == 0) f.went_on_at = where;
  }
  if (t.length > 0) note_new_payload(t, from, where, payload_end);
  if (ends && !f.fin) {
    f.fin = where;
    p.fin_end = end;
  } else if (ends && f.fin) {
    ++f.fin_repeats;
    f.last_fin = where;
  }
  p.next = std::max(p.next, end);
  return found;
}

/// One hole is remembered, the first: enough to know that there was one.
void followed::note_hole(stream_position& p, std::int64_t offset, std::int64_t end) const noexcept {
  if (offset > p.next && p.hole == p.hole_end) {
    p.hole = p.next;
    p.hole_end = offset;
  } else if (p.hole < p.hole_end && offset <= p.hole && end > p.hole) {
    p.hole = std::min(end, p.hole_end);
  } else if (p.hole < p.hole_end && offset < p.hole_end && end >= p.hole_end) {
    p.hole_end = std::max(offset, p.hole);
  }
}

void followed::note_new_payload(const tcp_segment& t, side from, const mark& where,
                                std::int64_t end) noexcept {
  flow& f = record_.of(from);
  ++f.data_segments;
  if (t.says != protocol::unknown && end == std::int64_t{t.length} && record_.spoken == protocol::unknown) {
    record_.spoken = t.says;
    record_.server_name = t.name;
  }
  if (!f.first_data) f.first_data = where;
  f.last_data = where;
  const auto said = static_cast<std::uint64_t>(std::max(end, std::int64_t{0}));
  if (said <= f.bytes) return;
  note_pause(from, where);
  if (record_.of(other(from)).fin)
    f.bytes_after_fin_of_other += std::min(std::uint64_t{t.length}, said - f.bytes);
  f.bytes = said;
}

/// Before a segment with new bytes is taken in. Who held it up is who did so for most of the time.
void followed::note_pause(side from, const mark& where) noexcept {
  flow& f = record_.of(from);
  const flow& theirs = record_.of(other(from));
  stream_position& own = at(from);
  const std::chrono::nanoseconds lasted = where.when - own.new_at.when;
  const bool spoke_on =
      own.new_at.number != 0 && (!theirs.last_data || theirs.last_data->number < own.new_at.number);
  // Else it may have been asked, and the question was not captured.
  const bool heard = theirs.segments > 0 && theirs.missed == 0 && theirs.jumps == 0;
  const bool held_by_ack = own.acked < own.next || where.when - own.acked_at < lasted / 2;
  if (spoke_on && heard && lasted > f.longest_pause.lasted)
    f.longest_pause = {.lasted = lasted,
                       .until = where,
                       .waited_for = own.was_shut  ? pause::reason::window
                                     : held_by_ack ? pause::reason::acknowledgement
                                                   : pause::reason::itself};
  own.new_at = where;
  own.was_shut = theirs.zero_window_since.has_value();  // a probe of the window may say a new byte
}

/// Where the capture began with a probe of `s`, offset 0 was guessed one too low:
/// an acknowledgement of the byte after an empty segment shows it.
bool followed::began_with_probe(side s) const noexcept {
  const flow& f = record_.of(s);
  const bool said_nothing =
      f.segments == 1 && f.data_segments == 0 && f.retransmissions == 0 && f.keepalive_probes == 0 && !f.rst;
  return at(s).guessed && at(s).next == 0 && said_nothing;
}

bool followed::note_ack(const tcp_segment& t, side from, const mark& where) noexcept {
  flow& theirs = record_.of(other(from));
  stream_position& p = at(other(from));
  if (!p.base) {
    p.base = t.acknowledgement;
    p.guessed = true;
    return true;
  }
  std::int64_t acked = p.offset_of(t.acknowledgement);
  if (acked == 1 && began_with_probe(other(from))) {
    p.base = t.acknowledgement;
    acked = 0;
    theirs.keepalive_probes = 1;
    remember_repeat(theirs.first_probe, theirs.last_probe, *theirs.last_heard);
  }
  if (acked <= p.acked || !near(acked, p.next)) return false;
  p.acked = acked;
  if (acked >= p.next) p.acked_at = where.when;
  if (p.hole < p.hole_end && acked > p.hole) {
    const std::int64_t past = std::min(acked, p.hole_end);
    theirs.missed += static_cast<std::uint64_t>(past - p.hole);
    p.hole = past;
  }
  if (theirs.rst && theirs.went_on > 0 && acked > p.at_rst) {  // and what went on is heard
    theirs.rst_not_heeded = theirs.rst;
    forget_reset(other(from));
  }
  if (acked > p.next) {  // the capture missed what is acknowledged here, and so an answer to us
    if (acked - p.next > furthest_ack)
      ++theirs.jumps;
    else if (p.next >= 0)
      theirs.missed += static_cast<std::uint64_t>(acked - p.next);
    p.next = acked;
    if (!was_reset()) record_.of(from).unanswered = record_.of(from).repeats_unanswered = 0;
  }
  theirs.acked = std::min(theirs.bytes, static_cast<std::uint64_t>(std::max(acked, std::int64_t{0})));
  if (p.fin_end && acked >= *p.fin_end && !theirs.fin_acked) {
    theirs.fin_acked = true;
    theirs.fin_acked_at = where;
  }
  return true;
}

void followed::note_handshake(const tcp_segment& t, side from, const mark& where) noexcept {
  if (record_.handshake_done || from != side::opener || t.has(syn) || !t.has(ack)) return;
  const bool saw_syn = record_.of(side::opener).syn || record_.of(side::responder).syn;
  if (!saw_syn || at(side::responder).acked < 0) return;
  record_.handshake_done = where;
  flow& responder = record_.of(side::responder);
  if (responder.rst_kind == reset_kind::to_syn && responder.initial_sequence) {
    // Refused and accepted: its kernel and a program with a TCP of its own, or a forger.
    responder.rst_not_heeded = responder.rst;
    forget_reset(side::responder);
  }
}

void followed::note_silence(side from, const finding& found, const mark& where,
                            const std::optional<mark>& before) noexcept {
  if (was_reset()) return;
  flow& f = record_.of(from);
  if (f.unanswered++ == 0) f.unanswered_since = where;
  if (found.front) {
    ++f.repeats_unanswered;
    if (before) f.repeat_gap = where.when - before->when;
  }
  if (found.repeat && !found.acked_something) return;
  flow& theirs = record_.of(other(from));
  theirs.unanswered = theirs.repeats_unanswered = 0;
}

// ---- ICMP ------------------------------------------------------------------

void followed::take_notice(const packet& p, side about) noexcept {
  const stream_position& position = at(about);
  icmp_notice notice{.where = {p.number, std::max(p.when, record_.last.when)},
                     .what = p.icmp,
                     .about = about,
                     .router = p.source};
  // A side that sent RST has no socket left to be told.
  if (position.base && !record_.of(about).rst) {
    const std::int64_t offset = position.offset_of(p.tcp.sequence);
    notice.in_flight = offset >= position.acked && offset <= position.next;
  }
  ++record_.icmp_count;
  record_.last = notice.where;
  if (!record_.first_icmp) record_.first_icmp = notice;
  record_.last_icmp = notice;
  if (notice.in_flight && p.icmp != unreachable::other) record_.last_heeded_icmp = notice;
}

}  // namespace halfopen::trace
