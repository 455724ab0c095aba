#ifndef HALFOPEN_SRC_CLI_LAB_ARGUMENTS_HPP
#define HALFOPEN_SRC_CLI_LAB_ARGUMENTS_HPP

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/clock_options.hpp"
#include "situation/between_machines.hpp"
#include "situation/runner.hpp"

namespace halfopen::cli {

struct lab_arguments {
  std::vector<std::string> patterns;
  std::string pair = "both";
  std::string ip = "4";
  std::string evidence;
  std::string json;
  std::string clock = "real";  ///< "virtual", "virtual-plain"
  double grace = 5;
  std::size_t repeat = 1;
  std::size_t jobs = 0;  ///< 0: choose
  guest_arguments guest;
  std::optional<std::string> machines;  ///< "s390x,i686", "all"; nothing: the pair of this machine only
  bool explain = false;
  bool table = false;  ///< all that was seen, not only the overview

  // For a guest's lab, which is told its share and reports to the one outside.
  std::vector<std::string> only;
  bool full_length = false;
  bool events = false;
};

/// Inside a guest: plays its share, and tells of each run in a line of JSON on stdout.
int play_for_the_outside(const situation::run_options& options);

/// Outside: shares the runs out to guests, a few side by side, and gives their results in
/// the order of the runs; those not played because somebody asked to stop are missing.
/// Calls the options' started, finished and tick. Throws lab::error if no guest can be made.
[[nodiscard]] std::vector<situation::result> play_in_guests(const lab_arguments& arguments,
                                                            const situation::run_options& options);

void add_machine_options(CLI::App& verb, lab_arguments& arguments);

/// The machines of --arch or --explain; nothing without either. Throws usage_error.
[[nodiscard]] std::optional<situation::machine_matrix> machines_of(const lab_arguments& arguments);

/// Prints what --explain is for; gives the exit code.
[[nodiscard]] int explain_machines(const lab_arguments& arguments, const situation::machine_matrix& matrix);

/// A machine was asked for by its name, and it cannot play.
[[nodiscard]] bool lacks_one_by_name(const lab_arguments& arguments, const situation::machine_matrix& matrix);

}  // namespace halfopen::cli

#endif
