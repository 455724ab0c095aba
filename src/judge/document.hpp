#ifndef HALFOPEN_SRC_JUDGE_DOCUMENT_HPP
#define HALFOPEN_SRC_JUDGE_DOCUMENT_HPP

/// \file
/// Judgements as files: JSON, which can be read back and merged, JUnit XML for CI servers,
/// Markdown for a pull request, and a page of HTML for people. All functions are thread-safe.

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "judge/result.hpp"

namespace halfopen::judge {

/// Of docs/report.schema.json. It grows by one when a field goes or means something else.
inline constexpr int schema_version = 2;

/// {"halfopen": version, "pairs": [...]}, indented, with a newline at the end.
[[nodiscard]] std::string to_json_document(std::span<const judgement> pairs, const std::string& version);

/// The error is a sentence. The text may be anything.
[[nodiscard]] std::expected<std::vector<judgement>, std::string> from_json_document(const std::string& text);

/// Joins the shards of one pair (same commands, clock and IP version) into one judgement; a
/// case that was played twice keeps the worse verdict. One is interrupted if a part was, unless the others
/// have played all the rest. Pairs keep the order of their first part.
[[nodiscard]] std::vector<judgement> merge(std::vector<judgement> parts);

/// A suite a pair, a test a case. Failed: fail, and warn if strict. Error: inconclusive, and one more
/// test of a pair that was interrupted. Skipped: not applicable.
[[nodiscard]] std::string to_junit(std::span<const judgement> pairs, bool strict);

/// A heading and a table a pair, of what is no pass, worst first: for the page of a pull request.
[[nodiscard]] std::string to_markdown(std::span<const judgement> pairs);

/// A line for each that is no pass, as a command for GitHub's runner; of a verdict ten at most.
[[nodiscard]] std::string to_annotations(std::span<const judgement> pairs, bool strict);

/// The counts of all as a picture (SVG): green; red where something failed, or warned if strict; else amber.
[[nodiscard]] std::string to_badge(std::span<const judgement> pairs, bool strict);

/// One self-contained page: the matrix of pairs by cases, and for every case its packets as a
/// ladder, both programs' output, the verdict and what to change.
[[nodiscard]] std::string to_html(std::span<const judgement> pairs);

}  // namespace halfopen::judge

#endif
