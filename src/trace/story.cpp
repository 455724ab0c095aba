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
// Packets do not tell everything. A reset looks the same before accept and after
// it; a reborn host's RST is also a firewall's, or that of a host whose socket was
// destroyed; death by retransmission sends nothing at all (Linux net/ipv4/
// tcp_timer.c tcp_write_err), while death by keepalive sends the same RST+ACK as
// an abort (tcp_keepalive_timer, tcp_send_active_reset). Where two endings fit,
// the likelier is told, the other is in also_possible, and `why` says so.

#include "halfopen/trace/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace halfopen::trace {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// A lone repeat may be a hiccup; with this much silence after it, it is none.
/// Linux's keepalive interval is at least 1 s, its first timeout of a SYN 1 s.
constexpr nanoseconds long_silence = 900ms;

constexpr const char* name_of(side s) {
  return s == side::opener ? "the opener" : "the responder";
}
constexpr culprit culprit_of(side s) {
  return s == side::opener ? culprit::opener : culprit::responder;
}

/// The ending that an ICMP error leads to. Linux: icmp_err_convert, net/ipv4/icmp.c.
constexpr ending ending_of(unreachable what) {
  return what == unreachable::net ? ending::net_unreachable : ending::host_unreachable;
}
constexpr const char* words_of(unreachable what) {
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

class teller {
 public:
  teller(const connection& c, const story_hints& hints) : c_{c}, hints_{hints} { story_.what = c; }
  story tell() &&;

 private:
  void choose();
  [[nodiscard]] bool never_opened() const;
  void tell_opening();
  void tell_failed_opening(const icmp_notice& icmp);
  void tell_given_up_opening();
  void tell_both_closed();
  void tell_reset(side by);
  void tell_closed_then_reset(side by);
  void tell_aborted(side by);
  void tell_reset_by_stranger(side by);
  void tell_silence(side survivor, std::optional<mark> given_up);
  void tell_unreachable(side survivor, const icmp_notice& icmp);
  void tell_half_closed(side closer);
  void tell_open();

  [[nodiscard]] std::optional<side> first_reset() const;
  [[nodiscard]] std::optional<side> talking_to_nobody() const;
  [[nodiscard]] bool is_unanswered(side s, time_point until) const;
  [[nodiscard]] bool owed_by(side s) const;
  [[nodiscard]] std::optional<icmp_notice> notice_since_heard(const std::optional<icmp_notice>& icmp,
                                                              side survivor) const;
  [[nodiscard]] time_point end() const {
    return std::max(c_.last.when, hints_.capture_end.value_or(c_.last.when));
  }

  void conclude(ending how, culprit by, std::string why) {
    story_.ended = true;
    story_.how = how;
    story_.by = by;
    story_.why = std::move(why);
  }
  void could_also_be(ending e) { story_.also_possible.push_back(e); }
  void prove(const std::optional<mark>& m) {
    if (m) story_.proof.push_back(m->number);
  }
  void half_open(const std::optional<mark>& from, time_point until) {
    if (from && until >= from->when) story_.half_open_for = until - from->when;
  }

  const connection& c_;
  const story_hints& hints_;
  story story_;
};

std::optional<mark> later(const std::optional<mark>& a, const std::optional<mark>& b) {
  if (!a || !b) return a ? a : b;
  return a->number >= b->number ? a : b;
}

story teller::tell() && {
  choose();
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
      fmt::format("the SYN of packet {} was neither answered nor repeated while the capture ran", number);
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

// ---- 3. RST ------------------------------------------------------------------------

void teller::tell_reset(side by) {
  const flow& f = c_.of(by);
  prove(f.rst);
  if (f.rst_kind != reset_kind::no_socket && is_unanswered(by, f.rst->when)) return tell_silence(by, f.rst);
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

  std::string outcome = "it gave up in silence or was still trying when the capture ended";
  if (given_up)
    outcome = fmt::format("it gave up with RST in packet {}", given_up->number);
  else if (hints_.capture_end && *hints_.capture_end - c_.last.when >= 1s)
    outcome = fmt::format(
        "nothing came in the {:.1f} s until the capture ended, so it gave up or waits longer and "
        "longer",
        std::chrono::duration<double>(*hints_.capture_end - c_.last.when).count());
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

// ---- 5. one FIN, 6. none -------------------------------------------------------------

void teller::tell_half_closed(side closer) {
  const flow& f = c_.of(closer);
  prove(f.fin);
  half_open(f.fin, end());
  if (owed_by(closer))
    return conclude(ending::peer_closed, culprit_of(closer),
                    fmt::format("{} sent FIN in packet {} after {} of its bytes, and more were owed",
                                name_of(closer), f.fin->number, f.bytes));
  story_.why = fmt::format(
      "half-closed: {} sent FIN in packet {}, and {} had sent neither FIN nor RST when the "
      "capture ended",
      name_of(closer), f.fin->number, name_of(other(closer)));
  if (c_.of(other(closer)).segments == 0) story_.why += "; no packet of that direction was captured";
}

void teller::tell_open() {
  story_.why = fmt::format(
      "still open: after packet {} neither FIN nor RST nor a sign of silence was captured", c_.last.number);
  const bool one_direction = c_.of(side::opener).segments == 0 || c_.of(side::responder).segments == 0;
  if (one_direction) story_.why += "; only one direction was captured";
}

}  // namespace

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
