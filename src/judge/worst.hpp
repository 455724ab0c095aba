#ifndef HALFOPEN_SRC_JUDGE_WORST_HPP
#define HALFOPEN_SRC_JUDGE_WORST_HPP

/// \file
/// Which cases a report opens with.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "judge/result.hpp"

namespace halfopen::judge {

/// What a failure does to whoever relies on the program, the worst first.
enum class harm : std::uint8_t {
  wrong,            ///< somebody takes something wrong for right: nobody is told
  gone,             ///< the whole program serves nobody any more
  waits_for_ever,   ///< it has no end, or none that was seen
  waits_who_knows,  ///< nobody knows how long
  waits,            ///< it has an end, after the limit
  ends_badly,       ///< a client dies of a signal: it is over, at least
  other,
};

/// Of a case that fails or warns.
[[nodiscard]] harm harm_of(const case_result& r) noexcept;

/// A case of a report: of which judgement, and which of its results.
struct case_place {
  std::size_t pair = 0, index = 0;
  friend bool operator==(const case_place&, const case_place&) = default;
};

/// The worst cases that fail or warn, at most so many, the worst first: failures before warnings; of each the
/// first of its kind (subject, outcome and harm) before those that show the same again; then by harm, and of
/// two that wait the longer one. Among equals the order of the judgements.
[[nodiscard]] std::vector<case_place> worst_of(std::span<const judgement> pairs, std::size_t most);

}  // namespace halfopen::judge

#endif
