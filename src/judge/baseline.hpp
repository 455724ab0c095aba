#ifndef HALFOPEN_SRC_JUDGE_BASELINE_HPP
#define HALFOPEN_SRC_JUDGE_BASELINE_HPP

#include "judge/diagnosis.hpp"
#include "judge/pair.hpp"

namespace halfopen::judge {

/// Runs the pair without a fault, some times: what is said, whether it is the same each time,
/// whether either program takes the recording for its peer. Throws no_baseline.
[[nodiscard]] baseline record_baseline(const pair& who);

/// Runs the pair once; whether the client prints what it printed elsewhere. Throws no_baseline.
[[nodiscard]] bool prints_the_same(const pair& who, const baseline& base);

}  // namespace halfopen::judge

#endif
