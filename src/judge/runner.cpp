#include "judge/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "halfopen/lab/error.hpp"
#include "judge/expected.hpp"
#include "judge/pace.hpp"
#include "judge/stage.hpp"
#include "judge/system/play_outage.hpp"
#include "play/jobs.hpp"

namespace halfopen::judge {
namespace {

namespace fs = std::filesystem;

/// A job of the real clock that takes longer hangs, whatever the reason: the limit, three times (a
/// server's case waits for the others too), and what starting and stopping takes; all of it tenfold, since
/// time in which programs wait for a processor does not count.
milliseconds job_limit(const run_options& o) {
  const bool is_virtual = o.parts ? o.parts->virtual_clock : o.programs.virtual_clock;
  const milliseconds fixed = std::chrono::minutes(is_virtual ? 60 * 24 : 5);
  if (o.parts) return 60 * o.parts->limit + 60 * o.parts->recover + 10 * o.parts->clean_limit + fixed;
  return 30 * o.programs.limit + 20 * o.programs.grace + fixed;
}

/// "exit/6" is the folder "exit-6".
fs::path folder_of(const fs::path& evidence, const judge_case& c) {
  if (evidence.empty()) return {};
  std::string name(c.id);
  name[name.find('/')] = '-';
  fs::path folder = evidence / name;
  fs::create_directories(folder);
  return folder;
}

case_result blank(const judge_case& c) {
  case_result r;
  r.id = c.id;
  r.subject = c.subject;
  r.done = c.done;
  r.rule = c.rule;
  r.service = c.link_from;
  r.dependency = c.link_to;
  return r;
}

/// Nothing can be said of the program.
void take_none(case_result& r, const no_verdict& none) {
  r.verdict = none.why == obstacle::not_there ? verdict::not_applicable : verdict::inconclusive;
  r.why = none.why;
  r.may_be_load = false;
  r.confirmed = confirmation::not_needed;
  r.reason = none.what();
}

case_result play_stage(const judge_case& c, const pair& who, const baseline& usual, const fs::path& capture) {
  if (c.connection > usual.said.connections.size())
    throw no_verdict(obstacle::not_there, fmt::format("there is no connection {}: the client opens {}",
                                                      c.connection, usual.said.connections.size()));
  const baseline base = usual.falling_on(c.connection);
  stage s(who, base, c, capture);
  std::optional<no_verdict> none;
  try {
    s.play();
  } catch (const no_verdict& e) {
    none = e;
  }
  case_result r = s.finish();
  if (none) take_none(r, *none);
  return r;
}

/// `play` is told where the capture is to be kept.
case_result play_case(const judge_case& c, const run_options& options,
                      const std::function<case_result(const judge_case&, const fs::path&)>& play) {
  const auto began = std::chrono::steady_clock::now();
  case_result r = blank(c);
  try {
    const fs::path folder = folder_of(options.evidence, c);
    r = play(c, folder.empty() ? fs::path() : folder / "packets.pcapng");
  } catch (const no_verdict& e) {
    take_none(r, e);
  } catch (const lab::interrupted&) {
    throw;
  } catch (const std::exception& e) {
    r.verdict = verdict::inconclusive;
    r.why = obstacle::lab_failed;
    r.reason = std::string("the lab could not do it: ") + e.what();
    r.may_be_load = true;
  }
  r.took = std::chrono::round<milliseconds>(std::chrono::steady_clock::now() - began);
  return r;
}

void keep_evidence(const case_result& r, const fs::path& folder) {
  if (folder.empty()) return;
  for (const output& o : r.outputs) {
    std::ofstream(folder / (o.program + ".stdout"), std::ios::app) << o.out;
    std::ofstream(folder / (o.program + ".stderr"), std::ios::app) << o.err;
  }
  std::ofstream story(folder / "story.txt");
  story << r.id << ": " << to_string(r.verdict) << "\n" << r.done << "\n" << r.happened << r.reason << "\n\n";
  for (const check& c : r.checks)
    story << (c.holds ? "  yes  " : "  NO   ") << (c.is_proof ? "proof: " : "") << play::in_words(c) << "\n";
  story << "\n";
  for (const std::string& line : r.story) story << line << "\n";
}

}  // namespace

namespace {

/// A rehearsal's own way to give a result or say what went wrong, out of a process of its own.
std::optional<lab::job_end> in_a_process(milliseconds limit, const std::function<void()>& tick,
                                         const std::function<nlohmann::json()>& body) {
  lab::job_options job;
  job.count = 1;
  job.limit = std::chrono::minutes(10) + 10 * limit;
  job.name = "halfopen-base";
  job.tick = tick;
  std::optional<lab::job_end> end;
  job.ended = [&](lab::job_end e) { end = std::move(e); };
  const bool went_on = lab::run_jobs(job, [&](std::size_t) -> std::string {
    try {
      return to_text(body());
    } catch (const no_baseline& e) {
      return to_text(json_of(e));
    } catch (const lab::interrupted&) {
      throw;
    } catch (const std::exception& e) {
      return to_text({{"lab_error", e.what()}});
    }
  });
  if (!went_on) return std::nullopt;
  if (!end || !end->problem.empty()) throw lab::error("the baseline: " + (end ? end->problem : "no result"));
  return end;
}

nlohmann::json result_of(const lab::job_end& end) {
  auto j = nlohmann::json::parse(end.text);
  if (j.contains("lab_error")) throw lab::error(j["lab_error"].get<std::string>());
  if (j.contains("failed")) throw no_baseline(no_baseline_of(j));
  return j;
}

milliseconds clean_time(const run_options& o) {
  return o.parts ? o.parts->limit + 4 * o.parts->clean_limit : o.programs.limit + o.programs.clean_limit;
}

/// Runs of the pair in a baseline, by and large.
constexpr int exchanges_of_a_baseline = 4;

}  // namespace

nlohmann::json json_of(const clean_run& c) {
  if (const auto* b = std::get_if<baseline>(&c)) return {{"pair", *b}};
  return {{"system", std::get<steady_state>(c)}};
}

clean_run clean_run_of(const nlohmann::json& j) {
  if (j.contains("pair")) return j["pair"].get<baseline>();
  return j.at("system").get<steady_state>();
}

std::optional<clean_run> rehearse(const run_options& options, const std::function<void()>& tick) {
  const auto end = in_a_process(clean_time(options), tick, [&] {
    return json_of(options.parts ? clean_run(record_steady_state(*options.parts))
                                 : clean_run(record_baseline(options.programs)));
  });
  if (!end) return std::nullopt;
  clean_run made = clean_run_of(result_of(*end));
  const auto cost = std::chrono::round<milliseconds>(end->processor / exchanges_of_a_baseline);
  std::visit([cost](auto& one) { one.cost = cost; }, made);
  return made;
}

std::optional<bool> works_as(const run_options& options, const clean_run& usual) {
  const auto end = in_a_process(clean_time(options), {}, [&] {
    const bool same = options.parts ? answers_the_same(*options.parts, std::get<steady_state>(usual))
                                    : prints_the_same(options.programs, std::get<baseline>(usual));
    return nlohmann::json{{"same", same}};
  });
  if (!end) return std::nullopt;
  return result_of(*end).at("same").get<bool>();
}

std::size_t jobs_alone(const clean_run& usual) noexcept {
  constexpr double processor_time_at_once = 0.4;
  const auto spent = std::visit([](const auto& one) { return one.cost; }, usual);
  const double cost = std::max(0.05, std::chrono::duration<double>(spent).count());
  return std::max<std::size_t>(1, static_cast<std::size_t>(processor_time_at_once / cost));
}

namespace {

/// `cost`: processor time of an exchange. `is_virtual`: nobody is kept waiting.
std::vector<case_result> run_all(const run_options& options, milliseconds cost, bool is_virtual,
                                 const std::function<case_result(const judge_case&, const fs::path&)>& play) {
  lab::job_options jobs;
  jobs.count = options.cases.size();
  constexpr std::size_t most_at_once = 64;
  jobs.at_once = options.jobs == 0 ? most_at_once : options.jobs;
  pace paced(std::chrono::duration<double>(cost).count(), std::thread::hardware_concurrency(),
             std::chrono::steady_clock::now());
  if (options.jobs == 0 && !is_virtual)
    jobs.may_start = [&](std::size_t under_way) {
      paced.look(processor_times_now(), std::chrono::steady_clock::now());
      return paced.may_start(under_way);
    };
  jobs.limit = job_limit(options);
  jobs.name = "halfopen-case";
  jobs.tick = options.tick;
  jobs.started = [&](std::size_t i) {
    paced.started();
    if (options.started) options.started(std::string(options.cases[i]->id));
  };
  return play::play_each<case_result>(
      std::move(jobs), [&](std::size_t i) { return play_case(*options.cases[i], options, play); },
      [&](std::size_t i, std::string problem) {
        case_result r = blank(*options.cases[i]);
        r.why = obstacle::lab_failed;
        r.reason = std::move(problem);
        return r;
      },
      [&](std::size_t i, case_result& r) {
        const judge_case& c = *options.cases[i];
        options.parts ? complete(r, *options.parts) : complete(r, c, options.programs);
        keep_evidence(r, folder_of(options.evidence, c));
        if (options.finished) options.finished(r);
      });
}

}  // namespace

std::vector<case_result> run(const run_options& options, const clean_run& usual) {
  if (const auto* base = std::get_if<baseline>(&usual))
    return run_all(options, base->cost, options.programs.virtual_clock,
                   [&](const judge_case& c, const fs::path& capture) {
                     return play_stage(c, options.programs, *base, capture);
                   });
  const auto& steady = std::get<steady_state>(usual);
  const system& what = options.parts.value();
  return run_all(options, steady.cost, what.virtual_clock, [&](const judge_case& c, const fs::path& capture) {
    return play_outage(c, what, steady, capture);
  });
}

}  // namespace halfopen::judge
