#ifndef HALFOPEN_SRC_JUDGE_SHARD_HPP
#define HALFOPEN_SRC_JUDGE_SHARD_HPP

/// \file
/// The cases of a judgement in parts, for as many machines. All functions are pure and thread-safe.

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "judge/case.hpp"

namespace halfopen::judge {

/// One of the parts.
struct shard {
  std::size_t index = 0;  ///< from 0
  std::size_t of = 1;
};

/// How long each case took, by its id as a report has it (`exit/6@1`).
using case_costs = std::map<std::string, std::chrono::milliseconds, std::less<>>;

/// What the reports say of the pair or system of that name: of several plays of a case the longest.
[[nodiscard]] case_costs costs_in(std::span<const judgement> reports, const std::string& name);

/// The cases of a part. Each case is in one part; the same cases and costs give the same parts, on whatever
/// machine. Without costs the parts differ in number by one at most. With them they cost about the same: the
/// dearest case goes first, each to the part that is cheapest by then, so that no part costs more than 4/3 of
/// what the best division would (R. L. Graham, Bounds on Multiprocessing Timing Anomalies, 1969). A case of
/// which nothing is known counts as the mean of the others.
[[nodiscard]] std::vector<const judge_case*> part_of(const std::vector<const judge_case*>& all,
                                                     const case_costs& costs, shard which);

}  // namespace halfopen::judge

#endif
