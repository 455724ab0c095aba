#ifndef HALFOPEN_SRC_JUDGE_EXPLANATIONS_HPP
#define HALFOPEN_SRC_JUDGE_EXPLANATIONS_HPP

/// \file
/// What the words of the judge's reports mean, for people: `halfopen explain` prints these texts. Cases
/// explain themselves (case.hpp). The texts live for ever.

#include <span>

#include "halfopen/fate.hpp"
#include "judge/result.hpp"
#include "judge/torture.hpp"

namespace halfopen::judge {

[[nodiscard]] explanation explain(verdict v) noexcept;

/// How a torture loses a peer; the name is the first word of a place.
[[nodiscard]] explanation explain(loss l) noexcept;

/// What a client did after a fault, from best to worst.
[[nodiscard]] std::span<const explanation> outcomes_of_a_client() noexcept;

/// What a server did, or one of its processes.
[[nodiscard]] std::span<const explanation> outcomes_of_a_server() noexcept;

/// What a service did while a dependency was away, and after.
[[nodiscard]] std::span<const explanation> outcomes_of_a_service() noexcept;

/// What is looked at of a service: explained by its name in the report.
[[nodiscard]] explanation explain(look l) noexcept;

/// What came of one ask.
[[nodiscard]] explanation explain(ask_end e) noexcept;

/// Why nothing can be said of a program.
[[nodiscard]] std::span<const explanation> unsaid_because() noexcept;

/// What else the judge's reports call by a word of its own.
[[nodiscard]] std::span<const explanation> other_words() noexcept;

}  // namespace halfopen::judge

#endif
