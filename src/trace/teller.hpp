#ifndef HALFOPEN_TRACE_TELLER_HPP
#define HALFOPEN_TRACE_TELLER_HPP

/// The teller of one story: story.cpp holds the order of the rules and those that
/// need little, broken.cpp those for RST and silence. Private to this folder.

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "halfopen/trace/story.hpp"
#include "trace/verdicts.hpp"

namespace halfopen::trace {

constexpr culprit culprit_of(side s) {
  return s == side::opener ? culprit::opener : culprit::responder;
}

/// The ending that an ICMP error leads to, and the error in words. Linux:
/// icmp_err_convert, net/ipv4/icmp.c.
[[nodiscard]] ending ending_of(unreachable what) noexcept;
[[nodiscard]] const char* words_of(unreachable what) noexcept;

/// The one with the higher packet number.
[[nodiscard]] std::optional<mark> later(const std::optional<mark>& a, const std::optional<mark>& b) noexcept;

class teller {
 public:
  teller(const connection& c, const story_hints& hints) : c_{c}, hints_{hints} {
    story_.what = c;
    story_.names = hints.names;
  }
  story tell() &&;

 private:
  [[nodiscard]] std::string_view name_of(side s) const noexcept { return hints_.names.of(s); }
  void choose();
  [[nodiscard]] bool never_opened() const;
  void tell_opening();
  void tell_failed_opening(const icmp_notice& icmp);
  void tell_given_up_opening();
  void tell_both_closed();
  void tell_reset(side by);
  void tell_closed_then_reset(side by);
  void tell_aborted(side by);
  void tell_cancelled();
  void tell_abortive_close(side by, side first);
  void tell_bare_reset(side by);
  void tell_silence(side survivor, std::optional<mark> given_up, confidence sure);
  void tell_unreachable(side survivor, const icmp_notice& icmp);
  void tell_half_closed(side closer);
  void tell_open();
  void tell_forged(side victim, author who);

  void remark_all();
  void remark_opening();
  void remark_half_close();
  void remark_window(side s);
  void remark_probes();
  void remark_unread(side by);
  void remark_reuse();
  void remark_fins();
  void remark_author();
  void doubt_silence();
  void doubt_all();
  void note_knowledge(side s);

  [[nodiscard]] std::optional<side> first_reset() const;
  [[nodiscard]] std::optional<side> talking_to_nobody() const;
  /// How sure it is that `s` talked to nobody until it gave up with that RST, or until the end.
  [[nodiscard]] std::optional<confidence> silence_of(side s, const std::optional<mark>& given_up) const;
  [[nodiscard]] std::optional<confidence> owed_by(side s) const;
  [[nodiscard]] bool one_direction(side s) const;
  [[nodiscard]] author author_of_reset(side s) const;
  [[nodiscard]] bool lacks(side s) const { return c_.of(s).missed > 0 || c_.of(s).jumps > 0; }
  [[nodiscard]] std::string debt_of(side s) const;
  [[nodiscard]] std::optional<icmp_notice> notice_since_heard(const std::optional<icmp_notice>& icmp,
                                                              side survivor) const;
  /// What kept the rest from being seen, as the end of "when ..." or "until ...".
  [[nodiscard]] const char* watch_end() const;
  [[nodiscard]] time_point end() const {
    return std::max(c_.last.when, hints_.capture_end.value_or(c_.last.when));
  }

  void conclude(ending how, culprit by, std::string why) {
    story_.ended = true;
    story_.how = how;
    story_.by = by;
    story_.why = std::move(why);
  }
  void surely(confidence of_ending, confidence of_culprit) {
    story_.sure = of_ending;
    story_.sure_by = of_culprit;
  }
  void also(manner m, std::string why) { story_.manners.push_back({m, std::move(why)}); }
  void but(doubt d, std::string why) { story_.doubts.push_back({d, std::move(why)}); }
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

}  // namespace halfopen::trace

#endif
