#ifndef HALFOPEN_SRC_JUDGE_RUNNER_HPP
#define HALFOPEN_SRC_JUDGE_RUNNER_HPP

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "judge/baseline.hpp"
#include "judge/case.hpp"
#include "judge/pair.hpp"
#include "judge/result.hpp"

namespace halfopen::judge {

struct run_options {
  pair who;
  std::vector<const judge_case*> cases;
  std::filesystem::path evidence;  ///< folder for a folder a case; empty: none
  /// Cases side by side. 0: as many as the machine takes, by what the pair costs and by how busy the
  /// processors are.
  std::size_t jobs = 0;
  std::function<void(const std::string& id)> started;
  std::function<void(const case_result&)> finished;
  std::function<void()> tick;  ///< about ten times a second
};

/// The baseline, in a process of its own; nothing if somebody asked to stop. Throws no_baseline,
/// or lab::error. Needs a world from lab::enter() and one thread.
[[nodiscard]] std::optional<baseline> rehearse(const pair& who, const std::function<void()>& tick);

/// For who has a baseline from elsewhere: does the pair work here, and print the same? Throws
/// no_baseline if it does not work. Otherwise as rehearse().
[[nodiscard]] std::optional<bool> works_as(const pair& who, const baseline& base);

/// Cases side by side where little else shall be under way.
[[nodiscard]] std::size_t jobs_alone(const baseline& base) noexcept;

/// Plays the cases, each in a process of its own; gives the results in the cases' order. Those
/// not played because somebody asked to stop are missing.
[[nodiscard]] std::vector<case_result> run(const run_options& options, const baseline& base);

}  // namespace halfopen::judge

#endif
