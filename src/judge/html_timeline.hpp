#ifndef HALFOPEN_SRC_JUDGE_HTML_TIMELINE_HPP
#define HALFOPEN_SRC_JUDGE_HTML_TIMELINE_HPP

#include <vector>

#include "judge/result.hpp"
#include "report/timeline.hpp"

namespace halfopen::judge {

/// What those who asked the service got, and its connections to the dependency, around the outage: a row for
/// each command that asked, and one for the connections.
[[nodiscard]] report::timeline timeline_of(const case_result& r);

/// What the marks mean.
[[nodiscard]] const std::vector<report::timeline_key>& timeline_keys();

}  // namespace halfopen::judge

#endif
