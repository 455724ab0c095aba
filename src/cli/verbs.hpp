#ifndef HALFOPEN_SRC_CLI_VERBS_HPP
#define HALFOPEN_SRC_CLI_VERBS_HPP

#include <CLI/CLI.hpp>

namespace halfopen::cli {

/// Exit codes of every verb (docs/exit-codes in the README).
enum exit_code : int {
  all_met = 0,         ///< everything as expected
  not_met = 1,         ///< something was not
  bad_arguments = 2,   ///< the command line, or a file that it names
  cannot_run_here = 3  ///< this machine lacks something: see `halfopen doctor`
};

/// Each adds one verb; its callback stores the exit code.
void add_lab(CLI::App& app, int& exit_code);
void add_test(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_campaign(CLI::App& app, int& exit_code);
void add_list(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_clock(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_serve(CLI::App& app, int& exit_code);
void add_call(CLI::App& app, int& exit_code);
void add_autopsy(CLI::App& app, int& exit_code);
void add_audit(CLI::App& app, int& exit_code);
void add_watch(CLI::App& app, int& exit_code);
void add_bytes(CLI::App& app, int& exit_code);
void add_up(CLI::App& app, int& exit_code);
void add_do(CLI::App& app, int& exit_code);
void add_ask(CLI::App& app, int& exit_code);
void add_exec(CLI::App& app, int& exit_code);
void add_state(CLI::App& app, int& exit_code);
void add_down(CLI::App& app, int& exit_code);
/// ... two: completion, manual.
void add_manual(CLI::App& app, int& exit_code);

}  // namespace halfopen::cli

#endif
