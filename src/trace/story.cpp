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

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// A lone repeat may be a hiccup; with this much silence after it, it is none.
/// Linux's keepalive interval is at least 1 s, its first timeout of a SYN 1 s.
constexpr nanoseconds long_silence = 900ms;

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
  if (const auto survivor = talking_to_nobody()) return tell_silence(*survivor, std::nullopt);
  if (c_.of(side::opener).fin) return tell_half_closed(side::opener);
  if (c_.of(side::responder).fin) return tell_half_closed(side::responder);
  tell_open();
}

// ---- questions ---------------------------------------------------------------

bool teller::never_opened() const {
  const flow& responder = c_.of(side::responder);
  if (responder.rst_kind == reset_kind::to_syn) return true;
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

/// Whether `s` was repeating itself in vain up to `until`.
bool teller::is_unanswered(side s, time_point until) const {
  const flow& f = c_.of(s);
  if (f.repeats_unanswered != 1) return f.repeats_unanswered > 1;
  const auto repeat = later(f.last_retransmission, f.last_probe);
  return repeat && until - repeat->when >= long_silence;
}

std::optional<side> teller::talking_to_nobody() const {
  const auto alone = [this](side s) {
    const flow& peer = c_.of(other(s));
    // A peer that finished the handshake and yet was never seen is alive: the
    // capture shows one direction only.
    const bool one_direction = peer.segments == 0 && c_.handshake_done;
    if (one_direction) return false;
    const bool router_says_so = c_.of(s).repeats_unanswered > 0 && notice_since_heard(c_.last_heeded_icmp, s);
    return router_says_so || is_unanswered(s, end());
  };
  const bool opener = alone(side::opener), responder = alone(side::responder);
  if (!opener && !responder) return std::nullopt;
  if (opener && responder)
    return c_.of(side::responder).repeats_unanswered > c_.of(side::opener).repeats_unanswered
               ? side::responder
               : side::opener;
  return opener ? side::opener : side::responder;
}

bool teller::owed_by(side s) const {
  if (s == side::opener) return false;
  const flow& responder = c_.of(side::responder);
  if (hints_.owed_by_responder) return responder.bytes < *hints_.owed_by_responder;
  return responder.bytes == 0 && c_.of(side::opener).bytes > 0;
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
  if (responder.rst) {
    prove(responder.rst);
    const std::string question = opener.syn ? fmt::format("the SYN of packet {}", opener.syn->number)
                                            : std::string{"a SYN that was not captured"};
    return conclude(ending::refused, culprit::responder,
                    fmt::format("RST in packet {} answered {}", responder.rst->number, question));
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
  if (opener.retransmissions > 0) {
    prove(opener.last_retransmission);
    return conclude(
        ending::peer_vanished, culprit::nobody,
        fmt::format("the SYN of packet {} was sent {} times, last in packet {}, and nobody answered", number,
                    opener.retransmissions + 1, opener.last_retransmission->number));
  }
  if (opener.rst) {
    prove(opener.rst);
    could_also_be(ending::deadline_passed);
    return conclude(
        ending::aborted_before_accept, culprit::opener,
        fmt::format("the opener took its SYN of packet {} back with RST in packet {} before any answer",
                    number, opener.rst->number));
  }
  story_.why =
      fmt::format("the SYN of packet {} was neither answered nor repeated before {}", number, watch_end());
}

// ---- 2. both sides sent FIN ------------------------------------------------------

void teller::tell_both_closed() {
  const flow& opener = c_.of(side::opener);
  const flow& responder = c_.of(side::responder);
  prove(opener.fin);
  prove(responder.fin);
  const bool responder_first = responder.fin->number < opener.fin->number;
  const bool owed = owed_by(side::responder) && (hints_.owed_by_responder || responder_first);
  if (owed) {
    half_open(responder.fin, opener.fin->when);
    return conclude(
        ending::peer_closed, culprit::responder,
        fmt::format("the responder's FIN in packet {} came after {} of its bytes, and more were owed",
                    responder.fin->number, responder.bytes));
  }
  const side first = responder_first ? side::responder : side::opener;
  const auto by = first_reset();
  const bool early = by && c_.of(*by).rst->number < c_.of(other(first)).fin->number;
  // Late words refused by the side that closed first: often a farewell that nobody
  // needs (TLS close_notify), sometimes a request.
  if (early || (by == first && c_.of(other(first)).bytes_after_fin_of_other > 0))
    could_also_be(ending::peer_closed);
  const std::string after =
      by ? fmt::format("; the RST in packet {} does not change that", c_.of(*by).rst->number) : std::string{};
  conclude(ending::completed, culprit_of(first),
           fmt::format("both sides sent FIN, the opener in packet {} and the responder in packet {}{}",
                       opener.fin->number, responder.fin->number, after));
}

// ---- 5. one FIN, 6. none -------------------------------------------------------------

void teller::tell_half_closed(side closer) {
  const flow& f = c_.of(closer);
  prove(f.fin);
  half_open(f.fin, end());
  if (owed_by(closer))
    return conclude(ending::peer_closed, culprit_of(closer),
                    fmt::format("{} sent FIN in packet {} after {} of its bytes, and more were owed",
                                name_of(closer), f.fin->number, f.bytes));
  story_.why =
      fmt::format("half-closed: {} sent FIN in packet {}, and {} had sent neither FIN nor RST when {}",
                  name_of(closer), f.fin->number, name_of(other(closer)), watch_end());
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
