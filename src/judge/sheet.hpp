#ifndef HALFOPEN_SRC_JUDGE_SHEET_HPP
#define HALFOPEN_SRC_JUDGE_SHEET_HPP

#include <string>
#include <utility>
#include <vector>

#include "judge/case.hpp"
#include "judge/result.hpp"
#include "judge/sentences.hpp"

namespace halfopen::judge {

/// What is written down while a case is played. The worst of what is found counts; nothing found is a
/// pass. Not thread-safe.
class sheet {
 public:
  explicit sheet(const judge_case& c);

  /// Facts that need no conclusion go in here at once.
  case_result facts;

  /// A conclusion, which may be the verdict.
  void conclude(const finding& f, wording said);
  /// The same of one expectation among several: a pass of it is a line, and no verdict yet.
  void note(const finding& f, wording said);
  /// One of the case's own expectations, in its own words. Gives back whether it holds.
  bool require(bool holds, std::string what, std::string cure, basis rests_on);

  /// It has failed, or nothing can be said of the program: what else is found does not count.
  [[nodiscard]] bool says_enough() const noexcept;
  /// The verdict, if all proofs hold.
  [[nodiscard]] case_result finish() &&;

 private:
  std::vector<std::pair<finding, wording>> found_;
};

}  // namespace halfopen::judge

#endif
