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
  std::size_t rounds = 1;                 ///< how often each run is played
  std::size_t jobs = 64;                  ///< runs side by side
  std::function<void(const std::string& id)> started;
  std::function<void(const result&)> finished;
  std::function<void()> tick;  ///< about ten times a second
};

/// Plays every choice with every pair, each in a process of its own. Gives the
/// results in the order of the choices; those not played because somebody asked
/// to stop are missing. Needs a world from lab::enter() and one thread.
///
/// Of a run that was met, capture, checks and story are kept in the first round only:
/// a thousand rounds must fit into memory and onto a disk.
[[nodiscard]] std::vector<result> run(const run_options& options);

}  // namespace halfopen::situation

#endif
