#ifndef HALFOPEN_SRC_JUDGE_HTML_LADDER_HPP
#define HALFOPEN_SRC_JUDGE_HTML_LADDER_HPP

#include "judge/result.hpp"
#include "report/ladder.hpp"

namespace halfopen::judge {

/// A case's packets between the client's host and the server's, with what was done and how the
/// programs ended at their times. Of very many, the first and the last are shown.
[[nodiscard]] report::ladder ladder_of(const case_result& r);

}  // namespace halfopen::judge

#endif
