#ifndef HALFOPEN_SRC_SITUATION_SUMMARY_HPP
#define HALFOPEN_SRC_SITUATION_SUMMARY_HPP

#include <span>
#include <string>

#include "report/table.hpp"
#include "situation/result.hpp"

namespace halfopen::situation {

/// The table: a row for each situation and variant.
[[nodiscard]] std::string summary_table(std::span<const result> results, const report::canvas& where);

/// One line on one result: "exit/fin-first naive: met, 0.5 s".
[[nodiscard]] std::string one_line(const result& r);

/// What did not hold, a line each, with the evidence; empty if all is met.
[[nodiscard]] std::string shortcomings(std::span<const result> results);

}  // namespace halfopen::situation

#endif
