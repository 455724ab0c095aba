#ifndef HALFOPEN_SRC_SITUATION_TALLY_HPP
#define HALFOPEN_SRC_SITUATION_TALLY_HPP

/// What came of the rounds of a run that is played again and again.

#include <chrono>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "situation/result.hpp"

namespace halfopen::situation {

/// The results of one variant played by one pair, by round.
using rounds = std::vector<const result*>;

[[nodiscard]] rounds rounds_of(std::span<const result> results, std::string_view situation,
                               std::string_view variant, std::string_view pair);

/// Something that a program saw, how often, and between which times after the fault.
struct outcome {
  std::string what;
  std::size_t times = 0;
  std::optional<std::chrono::milliseconds> soonest, latest;
};

/// The most frequent one first.
[[nodiscard]] std::vector<outcome> outcomes_of(const rounds& played);

/// How often each verdict came; those that never came are missing.
[[nodiscard]] std::vector<std::pair<verdict, std::size_t>> verdicts_of(const rounds& played);

/// In how many of them the three views agree.
[[nodiscard]] std::size_t agreements_of(const rounds& played);

/// A row an element, for the JSON of a repeated lab.
[[nodiscard]] nlohmann::json tallies(std::span<const result> results);

}  // namespace halfopen::situation

#endif
