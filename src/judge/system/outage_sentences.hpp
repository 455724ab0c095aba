#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_OUTAGE_SENTENCES_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_OUTAGE_SENTENCES_HPP

/// \file
/// What is said of a service's outage: made last, from what was seen and what was concluded. Pure functions.

#include <string>

#include "judge/decide/outage.hpp"
#include "judge/sentences.hpp"

namespace halfopen::judge {

/// What the sentences call things, and the user's limit.
struct outage_names {
  std::string service, dependency;
  milliseconds within{};
  bool virtual_clock = false;
};

[[nodiscard]] wording say(const outage_seen& seen, const look_finding& f, const outage_names& names);

/// "12 asks refused, the longest after 40 ms; served again 1.2 s after db was back"
[[nodiscard]] std::string summary_of(const outage_seen& seen, const outage_names& names);

/// The timeline of the probe in so many characters, at least a dozen: each shows the worst ask of its time,
/// '.' served, 'r' refused, 'H' hung, 'W' wrong, '-' cut short, '_' nobody asked; '|' stands where the
/// dependency was lost, and where it was back. Time grows logarithmically from either of them. An ask is
/// shown from its begin to its end, but on the side of the return on which it began.
[[nodiscard]] std::string timeline_of(const std::vector<ask>& asks, milliseconds back, std::size_t width);

/// What its characters mean.
[[nodiscard]] std::string_view timeline_legend() noexcept;

}  // namespace halfopen::judge

#endif
