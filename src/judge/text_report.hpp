#ifndef HALFOPEN_SRC_JUDGE_TEXT_REPORT_HPP
#define HALFOPEN_SRC_JUDGE_TEXT_REPORT_HPP

#include <string>

#include "judge/result.hpp"
#include "report/table.hpp"

namespace halfopen::judge {

[[nodiscard]] report::colour tint_of(verdict v);

/// "  exit/6     client  pass          reported: ...", the words wrapped below themselves, or below the row
/// where a long label leaves no room. The label is clean(), and padded.
[[nodiscard]] std::string verdict_row(const std::string& label, verdict v, const std::string& words,
                                      const report::canvas& where);

/// "exit/6 client: pass: reported: exit 1 after 2 ms"
[[nodiscard]] std::string one_line(const case_result& r);

/// Families, worst first, a row a case. What was done, and the timeline of an outage, is a column of it where
/// there is room.
[[nodiscard]] std::string summary_table(const judgement& j, const report::canvas& where);

/// Families, worst first, a line each: how many cases had which verdict.
[[nodiscard]] std::string family_table(const judgement& j, const report::canvas& where);

/// So many cases, and fewer, are worth a line each.
inline constexpr std::size_t few_cases = 12;

/// Of a torture: a row for each stretch of places at which the same happened.
[[nodiscard]] std::string torture_table(const judgement& j, const report::canvas& where);

/// Of a torture: only the first place of each stretch.
[[nodiscard]] judgement where_it_changes(const judgement& j);

/// Each case that is no pass: the rule, what was done, expected, what happened, what was looked at and the
/// timeline of an outage, what to change, and the command that repeats it.
[[nodiscard]] std::string shortcomings(const judgement& j, const report::canvas& where);

/// "halfopen test --server ... --client ... --case exit/6"; empty if nobody said how.
[[nodiscard]] std::string repeat_command(const judgement& j, const case_result& r);

/// "1-3,7": numbers in order.
[[nodiscard]] std::string ranges(std::span<const std::size_t> numbers);

/// "missing shards of 8: 2,5-7"; empty if none is.
[[nodiscard]] std::string missing_shards_in_words(const judgement& j);

/// "interrupted: 13 of 59 cases were played", or which shards are missing of several; empty if it was not.
[[nodiscard]] std::string interruption_in_words(const judgement& j);

/// "41 pass, 3 warn, 5 fail, 1 inconclusive, 7 not applicable", behind the interruption if there was one.
[[nodiscard]] std::string counts_in_words(const judgement& j);

/// As one word for /bin/sh, without control characters other than newlines: it may be shown.
[[nodiscard]] std::string shell_quoted(const std::string& text);

}  // namespace halfopen::judge

#endif
