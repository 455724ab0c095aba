#ifndef HALFOPEN_BENCH_JUDGEMENTS_HPP
#define HALFOPEN_BENCH_JUDGEMENTS_HPP

// A judgement as a user runs it, what it costs, and where it differs from another one.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace halfopen::bench {

struct judged {
  double wall = 0;     ///< s
  double longest = 0;  ///< of one case, s of the clock that was judged by
  double all = 0;      ///< of all cases, one after the other, s of that clock
  std::map<std::string, std::string> verdicts;
  std::map<std::string, std::string> happened;  ///< with every figure
};

/// `halfopen test` with these arguments, in that folder. Exit codes up to 1, and 4, are judgements; throws
/// for all others.
[[nodiscard]] judged judge(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                           const std::filesystem::path& json);

/// Names the cases whose verdict was another one in that run than in the first.
std::size_t print_differences(const judged& first, const judged& now, int run);

/// "20 pass"
[[nodiscard]] std::string counts_of(const judged& j);

}  // namespace halfopen::bench

#endif
