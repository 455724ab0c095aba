#ifndef HALFOPEN_SRC_SITUATION_RUNNER_HPP
#define HALFOPEN_SRC_SITUATION_RUNNER_HPP

#include <filesystem>
#include <functional>
#include <vector>

#include "situation/catalogue.hpp"
#include "situation/result.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {

struct run_options {
  std::vector<choice> choices;
  std::vector<pair_kind> pairs;
  lab::ip_version ip = lab::ip_version::v4;
  std::filesystem::path evidence;         ///< folder for the captures; empty: none
  std::chrono::milliseconds grace{5000};  ///< from SIGTERM to SIGKILL at shutdown
  kernel_timers timers = kernel_timers::shortened;
  std::size_t rounds = 1;         ///< how often each run is played
  std::vector<std::string> only;  ///< play only the runs of these ids; empty: all
  std::size_t jobs = 64;          ///< runs side by side
  std::function<void(const std::string& id)> started;
  std::function<void(const result&)> finished;
  std::function<void()> tick;  ///< about ten times a second; none: nobody is woken for it
};

/// The ids of all runs, in their order.
[[nodiscard]] std::vector<std::string> ids_of(const run_options& options);

/// A result of that run which says only what went wrong with the lab.
[[nodiscard]] result broken_run(const run_options& options, std::string_view id, std::string problem);

/// The file of a run's capture in the folder for evidence.
[[nodiscard]] std::filesystem::path capture_of(const run_options& options, std::string_view id);

/// What need not be kept of a run that is one of many and was as expected.
void forget_details(result& r);

/// Plays every choice with every pair, each in a process of its own. Gives the
/// results in the order of the choices; those not played because somebody asked
/// to stop are missing. Needs a world from lab::enter() and one thread.
///
/// Of a run that was met, capture, checks and story are kept in the first round only:
/// a thousand rounds must fit into memory and onto a disk.
[[nodiscard]] std::vector<result> run(const run_options& options);

}  // namespace halfopen::situation

#endif
