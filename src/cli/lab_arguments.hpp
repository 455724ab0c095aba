#ifndef HALFOPEN_SRC_CLI_LAB_ARGUMENTS_HPP
#define HALFOPEN_SRC_CLI_LAB_ARGUMENTS_HPP

#include <cstddef>
#include <string>
#include <vector>

#include "cli/clock_options.hpp"
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

}  // namespace halfopen::cli

#endif
