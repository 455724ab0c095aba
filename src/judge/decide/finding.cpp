#include "judge/decide/finding.hpp"

#include <algorithm>
#include <array>

namespace halfopen::judge {
namespace {

constexpr std::array<std::string_view, 5> verdict_names{"pass", "warn", "fail", "inconclusive",
                                                        "not applicable"};

template <std::size_t Count, class Enum>
std::string_view name_in(const std::array<std::string_view, Count>& names, Enum e) noexcept {
  const auto index = static_cast<std::size_t>(e);
  return index < Count ? names[index] : "?";
}

constexpr std::array from_good_to_bad{verdict::pass, verdict::warn, verdict::not_applicable,
                                      verdict::inconclusive, verdict::fail};

auto badness(verdict v) noexcept {
  return std::ranges::find(from_good_to_bad, v);
}

bool outweighs(const finding& later, const finding& earlier) noexcept {
  if (badness(later.verdict) != badness(earlier.verdict))
    return badness(later.verdict) > badness(earlier.verdict);
  return later.rests_on == basis::event && earlier.rests_on != basis::event;
}

}  // namespace

std::string_view to_string(subject s) noexcept {
  constexpr std::array<std::string_view, 3> names{"client", "server", "service"};
  return name_in(names, s);
}

std::string_view to_string(verdict v) noexcept {
  return name_in(verdict_names, v);
}

std::optional<verdict> parse_verdict(std::string_view text) noexcept {
  const auto* found = std::ranges::find(verdict_names, text);
  if (found == verdict_names.end()) return std::nullopt;
  return static_cast<verdict>(found - verdict_names.begin());
}

std::string_view to_string(outcome o) noexcept {
  constexpr std::array<std::string_view, 31> names{"unaffected",
                                                   "recovered",
                                                   "reported",
                                                   "crashed",
                                                   "hangs",
                                                   "spins",
                                                   "tries again without end",
                                                   "false success",
                                                   "serves on",
                                                   "ended",
                                                   "no answer",
                                                   "wrong answer",
                                                   "holds the connection",
                                                   "releases late",
                                                   "process crashed",
                                                   "not as asked",
                                                   "does as asked",
                                                   "refuses",
                                                   "refuses late",
                                                   "lets asks hang",
                                                   "answers wrong",
                                                   "serves again",
                                                   "serves again late",
                                                   "uses stale connections",
                                                   "never serves again",
                                                   "runs on",
                                                   "says healthy",
                                                   "stops others",
                                                   "storms",
                                                   "leaks",
                                                   "asks twice"};
  return name_in(names, o);
}

std::string_view to_string(basis b) noexcept {
  constexpr std::array<std::string_view, 3> names{"event", "time", "processor"};
  return name_in(names, b);
}

std::string_view to_string(obstacle o) noexcept {
  constexpr std::array<std::string_view, 10> names{"none",        "unproved",   "not there",  "no replay",
                                                   "no means",    "too busy",   "lab failed", "varies",
                                                   "unconfirmed", "asks itself"};
  return name_in(names, o);
}

std::string_view to_string(player p) noexcept {
  constexpr std::array<std::string_view, 3> names{"nobody", "recording", "program"};
  return name_in(names, p);
}

std::string_view to_string(hang_length::source s) noexcept {
  constexpr std::array<std::string_view, 4> names{"unknown", "computed", "measured", "watched"};
  return name_in(names, s);
}

std::optional<std::size_t> told_of(std::span<const finding> all) noexcept {
  std::optional<std::size_t> told;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!told || outweighs(all[i], all[*told])) told = i;
  return told;
}

bool needs_confirmation(verdict v, basis rests_on) noexcept {
  return (v == verdict::fail || v == verdict::warn) && rests_on != basis::event;
}

}  // namespace halfopen::judge
