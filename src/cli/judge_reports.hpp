#ifndef HALFOPEN_SRC_CLI_JUDGE_REPORTS_HPP
#define HALFOPEN_SRC_CLI_JUDGE_REPORTS_HPP

/// \file
/// The files that judgements are written to, each by an option of its own: the same for `halfopen test` and
/// `halfopen report merge`. A new kind is a row of the table in judge_reports.cpp.

#include <CLI/App.hpp>
#include <cstdio>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "judge/result.hpp"

namespace halfopen::cli {

/// The judgements of files that --json wrote; - is the standard input. Throws usage_error.
[[nodiscard]] std::vector<judge::judgement> read_judgements(const std::vector<std::string>& paths);

/// Not thread-safe.
class judge_reports {
 public:
  /// The options' names, without their dashes.
  [[nodiscard]] static std::set<std::string> names();

  void add_options(CLI::App& verb);

  /// Before the work that they are about: whether they can be written, and do not overwrite each other.
  /// Throws usage_error.
  void check() const;

  /// Where to write what people read: a report may have taken the standard output.
  [[nodiscard]] std::FILE* for_people() const;

  /// Each whole, or not at all. `strict`: a warning counts as a failure. Throws usage_error.
  void write(std::span<const judge::judgement> pairs, bool strict) const;

 private:
  std::map<std::string, std::string> files_;  ///< by option
};

}  // namespace halfopen::cli

#endif
