// How a connection ended, who ended it, and the packets that prove it.
//
// The rules are asked in a fixed order, each of which rests on the one before
// having said no:
//   1. it never opened: refused, unreachable, or nobody answered;
//   2. both sides sent FIN: a graceful close, whatever RST comes with it;
//   3. one side sent RST: which of the two kinds, and what came before it;
//   4. one side repeats itself and nobody answers;
//   5. one side sent FIN and the other goes on;
//   6. it is still open.
//
// A table of states, as a TCP has it, was the alternative. But the question is not
// which state a TCP is in: it is what a reader of the packets may conclude, and
// that depends on what was not seen as well.

#include "halfopen/trace/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "trace/teller.hpp"

namespace halfopen::trace {

ending ending_of(unreachable what) noexcept {
  return what == unreachable::net ? ending::net_unreachable : ending::host_unreachable;
}

const char* words_of(unreachable what) noexcept {
  switch (what) {
    case unreachable::net:
      return "network unreachable";
    case unreachable::port:
      return "port unreachable";
    case unreachable::admin_prohibited:
      return "administratively prohibited";
    default:
      return "host unreachable";
  }
}

std::optional<mark> later(const std::optional<mark>& a, const std::optional<mark>& b) noexcept {
  if (!a || !b) return a ? a : b;
  return a->number >= b->number ? a : b;
}

const char* teller::watch_end() const {
  if (hints_.reused_at) return "a new connection took its ports";
  return hints_.until == watched::to_the_end ? "the capture ended" : "it was followed no further";
}

story teller::tell() && {
  choose();
  remark_all();
  doubt_all();
  std::ranges::sort(story_.proof);
  const auto repeated = std::ranges::unique(story_.proof);
  story_.proof.erase(repeated.begin(), repeated.end());
  return std::move(story_);
}

void teller::choose() {
  if (never_opened()) return tell_opening();
  if (c_.of(side::opener).fin && c_.of(side::responder).fin) return tell_both_closed();
  if (const auto by = first_reset()) return tell_reset(*by);
  if (const auto survivor = talking_to_nobody())
    return tell_silence(*survivor, std::nullopt,
                        silence_of(*survivor, std::nullopt).value_or(confidence::likely));
  if (c_.of(side::opener).fin) return tell_half_closed(side::opener);
  if (c_.of(side::responder).fin) return tell_half_closed(side::responder);
  tell_open();
}

// ---- questions ---------------------------------------------------------------

bool teller::never_opened() const {
  const flow& responder = c_.of(side::responder);
  if (responder.rst_kind == reset_kind::to_syn && !responder.initial_sequence && !c_.handshake_done)
    return true;
  return c_.opener_seen && !responder.initial_sequence && !c_.handshake_done &&
         responder.data_segments == 0 && !responder.fin;
}

std::optional<side> teller::first_reset() const {
  const auto& ours = c_.of(side::opener).rst;
  const auto& theirs = c_.of(side::responder).rst;
  if (!ours && !theirs) return std::nullopt;
  if (!ours || !theirs) return ours ? side::opener : side::responder;
  return ours->number <= theirs->number ? side::opener : side::responder;
}

/// A peer that finished the handshake and yet was never seen is alive, and of one whose SYN was
/// not captured nothing is known: the capture shows the direction of `s` only.
bool teller::one_direction(side s) const {
  return c_.of(other(s)).segments == 0 && (c_.handshake_done || !c_.opener_seen);
}

std::optional<confidence> teller::silence_of(side s, const std::optional<mark>& given_up) const {
  const flow& f = c_.of(s);
  const auto repeat = later(f.last_retransmission, f.last_probe);
  if (!repeat || !f.unanswered_since || f.repeats_unanswered == 0 || one_direction(s)) return std::nullopt;
  const time_point until = given_up ? given_up->when : end();
  return vanished({.repeats = f.repeats_unanswered,
                   .lasted = until - f.unanswered_since->when,
                   .gap = f.repeat_gap,
                   .quiet = until - repeat->when,
                   .gave_up = given_up.has_value(),
                   .connecting = never_opened(),
                   .capture_lacks = lacks(other(s)),
                   .every_packet = hints_.every_packet});
}

std::optional<side> teller::talking_to_nobody() const {
  const auto alone = [this](side s) {
    if (one_direction(s)) return false;
    const bool router_says_so = c_.of(s).repeats_unanswered > 0 && notice_since_heard(c_.last_heeded_icmp, s);
    return router_says_so || silence_of(s, std::nullopt);
  };
  const bool opener = alone(side::opener), responder = alone(side::responder);
  if (!opener && !responder) return std::nullopt;
  if (opener && responder)
    return c_.of(side::responder).repeats_unanswered > c_.of(side::opener).repeats_unanswered
               ? side::responder
               : side::opener;
  return opener ? side::opener : side::responder;
}

std::optional<confidence> teller::owed_by(side s) const {
  if (s == side::opener) return std::nullopt;
  const flow& responder = c_.of(side::responder);
  std::optional<bool> known;
  if (hints_.owed_by_responder) known = responder.bytes < *hints_.owed_by_responder;
  return owed({.known = known,
               .opener_seen = c_.opener_seen,
               .capture_lacks = lacks(side::opener) || lacks(side::responder),
               .asked = responder.heard_at_fin,
               .answered = responder.bytes});
}

/// What a reader finds in the packets, and no more.
std::string teller::debt_of(side s) const {
  const flow& f = c_.of(s);
  if (hints_.owed_by_responder)
    return fmt::format("after {} of its bytes, and {} were owed", f.bytes, *hints_.owed_by_responder);
  const flow& peer = c_.of(other(s));
  return fmt::format("without a byte in answer to the {} bytes from packet {} on, which it had acknowledged",
                     f.heard_at_fin, peer.first_data ? peer.first_data->number : c_.first.number);
}

author teller::author_of_reset(side s) const {
  const flow& f = c_.of(s);
  return author_of({.other_ttl = f.rst_other_ttl,
                    .ttl_behind = f.ttl_behind,
                    .ttl_steady = f.ttl_least == f.ttl_most,
                    .ahead = f.rst_ahead,
                    .went_on = f.went_on,
                    .not_heeded = f.rst_not_heeded.has_value(),
                    .answers = f.rst_answers.has_value(),
                    .id_in_row = f.rst_in_row});
}

/// The notice, if it came about the survivor's segments and nothing of the other
/// side came after it: Linux forgets it with the next acknowledgement (tcp_ack
/// clears sk_err_soft).
std::optional<icmp_notice> teller::notice_since_heard(const std::optional<icmp_notice>& icmp,
                                                      side survivor) const {
  if (!icmp || icmp->about != survivor || icmp->what == unreachable::other) return std::nullopt;
  const flow& dead = c_.of(other(survivor));
  if (dead.last_heard && dead.last_heard->number > icmp->where.number) return std::nullopt;
  return icmp;
}

// ---- 1. it never opened --------------------------------------------------------

void teller::tell_opening() {
  const flow& opener = c_.of(side::opener);
  const flow& responder = c_.of(side::responder);
  prove(opener.syn);
  if (const auto& refusal = responder.rst ? responder.rst : c_.first_attempt_rst;
      responder.rst || (refusal && !opener.rst)) {
    prove(refusal);
    const std::string question = opener.syn ? fmt::format("the SYN of packet {}", opener.syn->number)
                                            : std::string{"a SYN that was not captured"};
    std::string why = fmt::format("RST in packet {} answered {}", refusal->number, question);
    if (c_.attempts_before > 0 && c_.first_attempt_rst) {
      prove(c_.first_attempt_rst);
      why = fmt::format("RST answered {}, first in packet {}; the same SYN came {} times in all", question,
                        c_.first_attempt_rst->number, c_.attempts_before + 1);
    }
    return conclude(ending::refused, culprit::responder, std::move(why));
  }
  if (const auto icmp = notice_since_heard(c_.last_heeded_icmp, side::opener))
    return tell_failed_opening(*icmp);
  tell_given_up_opening();
}

void teller::tell_failed_opening(const icmp_notice& icmp) {
  prove(icmp.where);
  const bool from_host = icmp.router == c_.responder.address;
  const bool port = icmp.what == unreachable::port;
  conclude(port ? ending::refused : ending_of(icmp.what),
           port && from_host ? culprit::responder : culprit::router,
           fmt::format("{} answered the SYN with ICMP {} in packet {}, and no SYN+ACK came",
                       icmp.router.to_string(), words_of(icmp.what), icmp.where.number));
}

void teller::tell_given_up_opening() {
  const flow& opener = c_.of(side::opener);
  const std::uint64_t number = opener.syn ? opener.syn->number : c_.first.number;
  if (c_.challenge) {
    prove(c_.challenge);
    prove(c_.challenge_answered);
    story_.why = fmt::format(
        "the SYN of packet {} was answered by an ACK of other numbers in packet {}: {} still knew "
        "an "
        "older connection of these ports{}, and no SYN+ACK was captured before {}",
        number, c_.challenge->number, name_of(side::responder),
        c_.challenge_answered
            ? fmt::format(", which the RST of packet {} ended", c_.challenge_answered->number)
            : std::string{},
        watch_end());
    return;
  }
  if (opener.rst) {
    prove(opener.rst);
    could_also_be(ending::deadline_passed);
    return conclude(ending::aborted_before_accept, culprit::opener,
                    fmt::format("{} took its SYN of packet {} back with RST in packet {} before any answer",
                                name_of(side::opener), number, opener.rst->number));
  }
  const auto sure = silence_of(side::opener, std::nullopt);
  if (sure) {
    prove(opener.last_retransmission);
    surely(*sure, *sure);
    // Nobody says when it stops of its own accord: a program's limit looks the same.
    if (*sure != confidence::certain) could_also_be(ending::deadline_passed);
    return conclude(
        ending::peer_vanished, culprit::nobody,
        fmt::format("the SYN of packet {} was sent {} times, last in packet {}, and nobody answered", number,
                    opener.retransmissions + 1, opener.last_retransmission->number));
  }
  if (opener.retransmissions > 0) could_also_be(ending::peer_vanished);
  story_.why =
      opener.retransmissions > 0
          ? fmt::format(
                "the SYN of packet {} was sent {} times, last in packet {}, and not answered before {}",
                number, opener.retransmissions + 1, opener.last_retransmission->number, watch_end())
          : fmt::format("the SYN of packet {} was neither answered nor repeated before {}", number,
                        watch_end());
}

// ---- 2. both sides sent FIN ------------------------------------------------------

void teller::tell_both_closed() {
  const flow& opener = c_.of(side::opener);
  const flow& responder = c_.of(side::responder);
  prove(opener.fin);
  prove(responder.fin);
  const bool responder_first = responder.fin->number < opener.fin->number;
  const auto owed = owed_by(side::responder);
  if (owed == confidence::certain) {
    half_open(responder.fin, opener.fin->when);
    return conclude(ending::peer_closed, culprit::responder,
                    fmt::format("{} sent FIN in packet {} {}", name_of(side::responder),
                                responder.fin->number, debt_of(side::responder)));
  }
  const side first = responder_first ? side::responder : side::opener;
  const auto by = first_reset();
  const bool early = by && c_.of(*by).rst->number < c_.of(other(first)).fin->number;
  // Late words refused by the side that closed first: often a farewell that nobody
  // needs (TLS close_notify), sometimes a request.
  if (early || (by == first && c_.of(other(first)).bytes_after_fin_of_other > 0))
    could_also_be(ending::peer_closed);
  std::string after =
      by ? fmt::format("; the RST in packet {} does not change that", c_.of(*by).rst->number) : std::string{};
  // Whoever only takes (logs, measurements) owes nothing; whoever was asked does.
  if (owed && responder_first) {
    if (!early) could_also_be(ending::peer_closed);
    surely(*owed, confidence::certain);
    prove(opener.first_data);
    after += fmt::format("; {} closed first, {}", name_of(side::responder), debt_of(side::responder));
  }
  conclude(ending::completed, culprit_of(first),
           fmt::format("both sides sent FIN, {} in packet {} and {} in packet {}{}", name_of(side::opener),
                       opener.fin->number, name_of(side::responder), responder.fin->number, after));
}

// ---- 5. one FIN, 6. none -------------------------------------------------------------

void teller::tell_half_closed(side closer) {
  const flow& f = c_.of(closer);
  prove(f.fin);
  if (!one_direction(closer)) half_open(f.fin, end());
  const auto owed = owed_by(closer);
  if (owed == confidence::certain)
    return conclude(
        ending::peer_closed, culprit_of(closer),
        fmt::format("{} sent FIN in packet {} {}", name_of(closer), f.fin->number, debt_of(closer)));
  story_.why =
      fmt::format("half-closed: {} sent FIN in packet {}, and {} had sent neither FIN nor RST when {}",
                  name_of(closer), f.fin->number, name_of(other(closer)), watch_end());
  if (owed) story_.why += fmt::format("; it closed {}", debt_of(closer));
  if (c_.of(other(closer)).segments == 0) story_.why += "; no packet of that direction was captured";
}

void teller::tell_open() {
  story_.why = fmt::format(
      "still open: after packet {} neither FIN nor RST nor a sign of silence was captured", c_.last.number);
  const bool one_direction = c_.of(side::opener).segments == 0 || c_.of(side::responder).segments == 0;
  if (one_direction) story_.why += "; only one direction was captured";
}

bool story::could_be(ending e) const noexcept {
  return ended && (how == e || std::ranges::find(also_possible, e) != also_possible.end());
}

std::string_view to_string(confidence c) noexcept {
  switch (c) {
    case confidence::certain:
      return "certain";
    case confidence::likely:
      return "likely";
    case confidence::possible:
      return "possible";
  }
  return "?";
}

std::string_view to_string(culprit c) noexcept {
  switch (c) {
    case culprit::opener:
      return "opener";
    case culprit::responder:
      return "responder";
    case culprit::router:
      return "router";
    case culprit::middlebox:
      return "middlebox";
    case culprit::nobody:
      return "nobody";
    case culprit::unknown:
      return "unknown";
  }
  return "?";
}

story tell(const connection& c, const story_hints& hints) {
  return teller{c, hints}.tell();
}

}  // namespace halfopen::trace
