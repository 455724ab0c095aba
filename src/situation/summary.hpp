#ifndef HALFOPEN_SRC_SITUATION_SUMMARY_HPP
#define HALFOPEN_SRC_SITUATION_SUMMARY_HPP

#include <span>
#include <string>
#include <vector>

#include "report/table.hpp"
#include "situation/result.hpp"

namespace halfopen::situation {

/// A line a variant: what the lab says to both pairs, and what the naive program saw; of the robust one
/// too where there is room or the naive pair did not play.
[[nodiscard]] std::string overview(std::span<const result> results, const report::canvas& where);

/// The table: a row for each situation and variant. In a narrow window with a field for what
/// endings_table() would say, which then has no table of its own.
[[nodiscard]] std::string summary_table(std::span<const result> results, const report::canvas& where);

/// One line on one result: "exit/fin-first naive: met, 0.5 s".
[[nodiscard]] std::string one_line(const result& r);

/// The results of those variants of which a run was not as expected.
[[nodiscard]] std::vector<result> of_what_was_not_met(std::span<const result> results);

/// What did not hold, a line each, with the evidence; empty if all is met.
[[nodiscard]] std::string shortcomings(std::span<const result> results);

}  // namespace halfopen::situation

#endif
