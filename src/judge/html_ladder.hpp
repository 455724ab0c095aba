#ifndef HALFOPEN_SRC_JUDGE_HTML_LADDER_HPP
#define HALFOPEN_SRC_JUDGE_HTML_LADDER_HPP

#include <span>

#include "judge/result.hpp"
#include "report/ladder.hpp"

namespace halfopen::judge {

/// A case's packets between the client's host and the server's, with what was done and how the
/// programs ended at their times. Of very many, the first and the last are shown.
///
/// Of a system, a column a host that takes part, whoever asks on the left and what others need on the right;
/// of very many packets those around the fault, around the return, and the proofs.
[[nodiscard]] report::ladder ladder_of(const case_result& r, std::span<const judged_host> hosts = {});

}  // namespace halfopen::judge

#endif
