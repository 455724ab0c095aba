#include "judge/runner.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "halfopen/lab/error.hpp"
#include "judge/expected.hpp"
#include "judge/pace.hpp"
#include "judge/stage.hpp"
#include "play/jobs.hpp"

namespace halfopen::judge {
namespace {

namespace fs = std::filesystem;

/// A job of the real clock that takes longer hangs, whatever the reason: the limit, three times (a
/// server's case waits for the others too), and what starting and stopping takes; all of it tenfold, since
/// time in which programs wait for a processor does not count.
milliseconds job_limit(const pair& who) {
  return 30 * who.limit + 20 * who.grace + std::chrono::minutes(who.virtual_clock ? 60 * 24 : 5);
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
  r.who = c.who;
  r.done = c.done;
  r.rule = c.rule;
  return r;
}

case_result play_case(const judge_case& c, const run_options& options, const baseline& base) {
  const auto began = std::chrono::steady_clock::now();
  case_result r = blank(c);
  try {
    const fs::path folder = folder_of(options.evidence, c);
    stage s(options.who, base, c, folder.empty() ? fs::path() : folder / "packets.pcapng");
    std::optional<no_verdict> none;
    try {
      s.play();
    } catch (const no_verdict& e) {
      none = e;
    }
    r = s.finish();
    if (none) {
      r.what = none->why == obstacle::not_there ? verdict::not_applicable : verdict::inconclusive;
      r.why = none->why;
      r.may_be_load = false;
      r.confirmed = confirmation::not_needed;
      r.reason = none->what();
    }
  } catch (const lab::interrupted&) {
    throw;
  } catch (const std::exception& e) {
    r.what = verdict::inconclusive;
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
  story << r.id << ": " << to_string(r.what) << "\n" << r.done << "\n" << r.happened << r.reason << "\n\n";
  for (const check& c : r.checks)
    story << (c.holds ? "  yes  " : "  NO   ") << (c.is_proof ? "proof: " : "") << play::in_words(c) << "\n";
  story << "\n";
  for (const std::string& line : r.story) story << line << "\n";
}

}  // namespace

namespace {

/// A rehearsal's own way to give a result or say what went wrong, out of a process of its own.
std::optional<lab::job_end> in_a_process(const pair& who, const std::function<void()>& tick,
                                         const std::function<nlohmann::json()>& body) {
  lab::job_options job;
  job.count = 1;
  job.limit = std::chrono::minutes(10) + 10 * (who.limit + who.clean_limit);
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

/// Runs of the pair in a baseline, by and large.
constexpr int exchanges_of_a_baseline = 4;

}  // namespace

std::optional<baseline> rehearse(const pair& who, const std::function<void()>& tick) {
  const auto end = in_a_process(who, tick, [&] { return nlohmann::json(record_baseline(who)); });
  if (!end) return std::nullopt;
  auto made = result_of(*end).get<baseline>();
  made.cost = std::chrono::round<milliseconds>(end->processor / exchanges_of_a_baseline);
  return made;
}

std::optional<bool> works_as(const pair& who, const baseline& base) {
  const auto end =
      in_a_process(who, {}, [&] { return nlohmann::json{{"same", prints_the_same(who, base)}}; });
  if (!end) return std::nullopt;
  return result_of(*end).at("same").get<bool>();
}

std::size_t jobs_alone(const baseline& base) noexcept {
  constexpr double processor_time_at_once = 0.4;
  const double cost = std::max(0.05, std::chrono::duration<double>(base.cost).count());
  return std::max<std::size_t>(1, static_cast<std::size_t>(processor_time_at_once / cost));
}

std::vector<case_result> run(const run_options& options, const baseline& base) {
  lab::job_options jobs;
  jobs.count = options.cases.size();
  constexpr std::size_t most_at_once = 64;
  jobs.at_once = options.jobs == 0 ? most_at_once : options.jobs;
  pace paced(std::chrono::duration<double>(base.cost).count(), std::thread::hardware_concurrency(),
             std::chrono::steady_clock::now());
  if (options.jobs == 0 && !options.who.virtual_clock)
    jobs.may_start = [&](std::size_t under_way) {
      paced.look(processor_times_now(), std::chrono::steady_clock::now());
      return paced.may_start(under_way);
    };
  jobs.limit = job_limit(options.who);
  jobs.name = "halfopen-case";
  jobs.tick = options.tick;
  jobs.started = [&](std::size_t i) {
    paced.started();
    if (options.started) options.started(std::string(options.cases[i]->id));
  };
  return play::play_each<case_result>(
      std::move(jobs), [&](std::size_t i) { return play_case(*options.cases[i], options, base); },
      [&](std::size_t i, std::string problem) {
        case_result r = blank(*options.cases[i]);
        r.why = obstacle::lab_failed;
        r.reason = std::move(problem);
        return r;
      },
      [&](std::size_t i, case_result& r) {
        const judge_case& c = *options.cases[i];
        complete(r, c, options.who);
        keep_evidence(r, folder_of(options.evidence, c));
        if (options.finished) options.finished(r);
      });
}

}  // namespace halfopen::judge
