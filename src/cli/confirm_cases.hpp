#ifndef HALFOPEN_SRC_CLI_CONFIRM_CASES_HPP
#define HALFOPEN_SRC_CLI_CONFIRM_CASES_HPP

#include <functional>
#include <string>
#include <vector>

#include "cli/test_arguments.hpp"

namespace halfopen::cli {

/// The results, those that have to be confirmed (judge/confirm.hpp) after a second playing: under the
/// virtual clock where `a.clock` is auto and its kernel is there, else alone with the real one.
/// `announce` says what comes next; the options' callbacks tell of each case as it is played again.
[[nodiscard]] std::vector<judge::case_result> confirm(
    const test_arguments& a, const judge::run_options& options, const judge::baseline& base,
    std::vector<judge::case_result> first, const std::function<void(const std::string&)>& announce);

}  // namespace halfopen::cli

#endif
