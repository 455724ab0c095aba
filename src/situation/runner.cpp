#include "situation/runner.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "halfopen/lab/error.hpp"
#include "play/jobs.hpp"

namespace halfopen::situation {
namespace {

/// A run that takes longer than this hangs, whatever the reason.
std::chrono::seconds limit(kernel_timers timers) {
  return timers == kernel_timers::full_length ? std::chrono::hours(4) : std::chrono::seconds(60);
}

struct task {
  choice chosen;
  pair_kind pair{};
  std::size_t round = 1;
};

std::string file_name(const task& t) {
  const std::string round = t.round > 1 ? ".round-" + std::to_string(t.round) : "";
  return std::string(t.chosen.of->name) + "-" + std::string(t.chosen.variant->name) + "." +
         to_string(t.pair) + round + ".pcapng";
}

void name(result& r, const task& t) {
  r.situation = t.chosen.of->name;
  r.variant = t.chosen.variant->name;
  r.pair = to_string(t.pair);
  r.round = t.round;
}

result blank(const task& t) {
  result r;
  name(r, t);
  return r;
}

result play(const task& t, const run_options& options) {
  result r = blank(t);
  try {
    scene_options how;
    how.pair = t.pair;
    how.ip = options.ip;
    how.timers = options.timers;
    how.grace = options.grace;
    how.client_program = t.chosen.client_program;
    how.server_program = t.chosen.server_program;
    how.title = "halfopen lab: " + id_of(r) + ": " + std::string(t.chosen.variant->done);
    if (!options.evidence.empty()) how.capture = options.evidence / file_name(t);
    scene s(how);
    t.chosen.variant->play(s);
    r = s.finish();
  } catch (const lab::interrupted&) {
    throw;
  } catch (const std::exception& e) {
    r.problem = e.what();
  }
  name(r, t);
  return r;
}

std::vector<task> tasks_of(const run_options& options) {
  std::vector<task> tasks;
  for (std::size_t round = 1; round <= options.rounds; ++round)
    for (const choice& c : options.choices)
      for (const pair_kind pair : options.pairs)
        if (!c.pair || *c.pair == pair) tasks.push_back({c, pair, round});
  if (!options.only.empty())
    std::erase_if(tasks, [&](const task& t) {
      return std::ranges::find(options.only, id_of(blank(t))) == options.only.end();
    });
  return tasks;
}

std::optional<task> task_of(const run_options& options, std::string_view id) {
  run_options only = options;
  only.only = {std::string(id)};
  const auto found = tasks_of(only);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

}  // namespace

std::vector<std::string> ids_of(const run_options& options) {
  std::vector<std::string> ids;
  for (const task& t : tasks_of(options)) ids.push_back(id_of(blank(t)));
  return ids;
}

result broken_run(const run_options& options, std::string_view id, std::string problem) {
  const auto t = task_of(options, id);
  result r = t ? blank(*t) : result{};
  r.problem = std::move(problem);
  return r;
}

std::filesystem::path capture_of(const run_options& options, std::string_view id) {
  const auto t = task_of(options, id);
  return t ? options.evidence / file_name(*t) : std::filesystem::path{};
}

void forget_details(result& r) {
  std::error_code ignored;
  if (!r.evidence.empty()) std::filesystem::remove(r.evidence, ignored);
  r.evidence.clear();
  r.checks.clear();
  r.story.clear();
}

std::vector<result> run(const run_options& options) {
  const std::vector<task> tasks = tasks_of(options);
  lab::job_options jobs;
  jobs.count = tasks.size();
  jobs.at_once = options.jobs;
  jobs.limit = limit(options.timers);
  jobs.name = "halfopen-run";
  jobs.tick = options.tick;
  jobs.started = [&](std::size_t i) {
    if (options.started) options.started(id_of(blank(tasks[i])));
  };
  return play::play_each<result>(
      std::move(jobs), [&](std::size_t i) { return play(tasks[i], options); },
      [&](std::size_t i, std::string problem) {
        result made = blank(tasks[i]);
        made.problem = std::move(problem);
        return made;
      },
      [&](std::size_t, result& made) {
        if (made.round > 1 && made.verdict == verdict::met) forget_details(made);
        if (options.finished) options.finished(made);
      });
}

}  // namespace halfopen::situation
