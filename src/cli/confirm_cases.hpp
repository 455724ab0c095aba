#ifndef HALFOPEN_SRC_CLI_CONFIRM_CASES_HPP
#define HALFOPEN_SRC_CLI_CONFIRM_CASES_HPP

#include <functional>
#include <string>
#include <vector>

#include "cli/test_arguments.hpp"

namespace halfopen::cli {

/// Called before some cases are played again: sets the callbacks of their options, and shows what comes.
using show_playing = std::function<void(judge::run_options&, const std::string& what)>;

struct confirmed_results {
  std::vector<judge::case_result> results;
  bool interrupted = false;  ///< somebody asked to stop before all was played again
};

/// The results, those that have to be confirmed (judge/confirm.hpp) after a second playing: under the
/// virtual clock where `a.clock` is auto and its kernel is there, else alone with the real one.
[[nodiscard]] confirmed_results confirm(const test_arguments& a, const judge::run_options& options,
                                        const judge::clean_run& usual, std::vector<judge::case_result> first,
                                        const show_playing& show);

}  // namespace halfopen::cli

#endif
