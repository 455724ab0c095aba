#ifndef HALFOPEN_SRC_PLAY_JOBS_HPP
#define HALFOPEN_SRC_PLAY_JOBS_HPP

#include <cstddef>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lab/jobs.hpp"

namespace halfopen::play {

/// Plays each of `jobs.count` in a process of its own, and gives their results in order; of
/// those that were not played, because somebody asked to stop, none. `jobs.ended` is this function's.
/// `Result` goes through JSON.
template <class Result>
std::vector<Result> play_each(
    lab::job_options jobs, const std::function<Result(std::size_t index)>& play,
    /// Of a process that gave no result; the problem is a sentence.
    const std::function<Result(std::size_t index, std::string problem)>& without_result,
    const std::function<void(std::size_t index, Result&)>& ended) {
  std::vector<std::optional<Result>> results(jobs.count);
  jobs.ended = [&](const lab::job_end& end) {
    auto& slot = results[end.index];
    try {
      slot = nlohmann::json::parse(end.text).get<Result>();
    } catch (const std::exception&) {
      slot = without_result(end.index, end.problem.empty() ? "its process gave no result" : end.problem);
    }
    ended(end.index, *slot);
  };
  (void)lab::run_jobs(jobs, [&](std::size_t i) {
    return nlohmann::json(play(i)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  });
  std::vector<Result> played;
  for (auto& r : results)
    if (r) played.push_back(std::move(*r));
  return played;
}

}  // namespace halfopen::play

#endif
