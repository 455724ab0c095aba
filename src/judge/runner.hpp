#ifndef HALFOPEN_SRC_JUDGE_RUNNER_HPP
#define HALFOPEN_SRC_JUDGE_RUNNER_HPP

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "judge/baseline.hpp"
#include "judge/case.hpp"
#include "judge/pair.hpp"
#include "judge/result.hpp"
#include "judge/system/steady.hpp"
#include "judge/system/system.hpp"

namespace halfopen::judge {

struct run_options {
  pair programs;
  std::optional<system> parts;  ///< if it is a system that is judged, and not a pair
  std::vector<const judge_case*> cases;
  std::filesystem::path evidence;  ///< folder for a folder a case; empty: none
  /// Cases side by side. 0: as many as the machine takes, by what the pair costs and by how busy the
  /// processors are.
  std::size_t jobs = 0;
  std::function<void(const std::string& id)> started;
  std::function<void(const case_result&)> finished;
  std::function<void()> tick;  ///< about ten times a second
};

/// What a pair, or a system, does with nothing wrong.
using clean_run = std::variant<baseline, steady_state>;
[[nodiscard]] nlohmann::json json_of(const clean_run& c);
[[nodiscard]] clean_run clean_run_of(const nlohmann::json& j);

/// The clean run, in a process of its own; nothing if somebody asked to stop. Throws no_baseline,
/// or lab::error. Needs a world from lab::enter() and one thread.
[[nodiscard]] std::optional<clean_run> rehearse(const run_options& options,
                                                const std::function<void()>& tick);

/// For who has a clean run from elsewhere: do the programs work here, and print the same? Throws
/// no_baseline if they do not work. Otherwise as rehearse().
[[nodiscard]] std::optional<bool> works_as(const run_options& options, const clean_run& usual);

/// Cases side by side where little else shall be under way.
[[nodiscard]] std::size_t jobs_alone(const clean_run& usual) noexcept;

/// Plays the cases, each in a process of its own; gives the results in the cases' order. Those
/// not played because somebody asked to stop are missing.
[[nodiscard]] std::vector<case_result> run(const run_options& options, const clean_run& usual);

}  // namespace halfopen::judge

#endif
