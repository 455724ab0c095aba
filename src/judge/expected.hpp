#ifndef HALFOPEN_SRC_JUDGE_EXPECTED_HPP
#define HALFOPEN_SRC_JUDGE_EXPECTED_HPP

#include <string>

#include "judge/case.hpp"
#include "judge/pair.hpp"
#include "judge/system/system.hpp"

namespace halfopen::judge {

/// What a program is expected to do in a case whose script says nothing of its own: most
/// cases of a family expect the same. With the limits that hold for this pair.
[[nodiscard]] std::string usual_expectation(const judge_case& c, const pair& programs);

/// Fills in what the script of a played case left open: what was expected, and of a pass what
/// happened, which is then that each of its checks holds.
void complete(case_result& r, const judge_case& c, const pair& programs);
/// The same of a service.
void complete(case_result& r, const system& what);

}  // namespace halfopen::judge

#endif
