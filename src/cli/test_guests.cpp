// The judge under the virtual clock: each guest is told what the pair does with nothing wrong, sees
// whether it does so there too, and plays its share.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/guest_shares.hpp"
#include "cli/test_arguments.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"

namespace halfopen::cli {
namespace {

/// Cases a guest, if the user does not say how many. Each is three hosts, a network stack each.
constexpr std::size_t cases_a_guest_takes = 15;
/// ... of a system: a database and two more programs a case fill a guest's memory with six cases.
constexpr std::size_t cases_of_a_system = 2;

/// The file in which a guest finds it.
constexpr const char* baseline_name = "halfopen-baseline";

/// ... and the system, if it is none of a pair.
constexpr const char* system_name = "halfopen-system";

/// In the place of a case.
constexpr const char* baseline_alone = "baseline";

std::vector<std::string> command_line(const test_arguments& a, const judge::run_options& options,
                                      const std::vector<std::string>& share) {
  std::vector<std::string> line{lab::own_executable(), "test",    "--clock", "real",
                                "--full-length",       "--events"};
  const auto add = [&line](const char* option, const std::string& value) {
    if (!value.empty()) line.insert(line.end(), {option, value});
  };
  if (!options.parts) {
    add("--server", a.server);
    add("--client", a.client);
  }
  add("--ip", a.ip);
  add("--ready", a.ready);
  add("--evidence", a.evidence);
  add("--limit", fmt::format("{}", a.limit));
  add("--grace", fmt::format("{}", a.grace));
  add("--clean-limit", fmt::format("{}", a.clean_limit));
  add("--disk", a.disk);
  add("--peer", a.peer);
  add("--baseline", a.baseline);
  if (options.parts) add("--system", clock::files_folder + std::string(system_name));
  if (a.terminal) line.emplace_back("--terminal");
  if (a.once) line.emplace_back("--once");
  if (a.brief) line.emplace_back("--brief");
  if (a.without_fault) line.emplace_back("--without-fault");
  if (a.port != 0) add("--server-port", std::to_string(a.port));
  for (const std::string& e : a.environment) add("--env", e);
  for (const std::string& id : share)
    if (id == baseline_alone)
      line.emplace_back("--rehearse");
    else
      add("--case", id);
  return line;
}

const judge::judge_case& case_of(const judge::run_options& options, const std::string& id) {
  return **std::ranges::find(options.cases, id, [](const auto* c) { return c->id; });
}

judge::case_result given_up(const judge::judge_case& c, const std::string& why) {
  judge::case_result r;
  r.id = c.id;
  r.subject = c.subject;
  r.done = c.done;
  r.rule = c.rule;
  r.why = judge::obstacle::lab_failed;
  r.reason = why;
  return r;
}

shared_work work_for(const test_arguments& a, const judge::run_options& options) {
  shared_work work;
  work.share_size = a.jobs != 0 ? a.jobs : options.parts ? cases_of_a_system : cases_a_guest_takes;
  work.guest = a.guest;
  work.job = [&](const auto& share) {
    clock::job job = clock::job_here(command_line(a, options, share));
    job.host_name = "lab";
    if (options.parts) job.files.emplace_back(system_name, judge::to_text(nlohmann::json(*options.parts)));
    if (!options.evidence.empty()) {
      std::filesystem::create_directories(options.evidence);  // where cases are played again it is new
      job.writable.push_back(options.evidence);
    }
    return job;
  };
  work.tick = options.tick;
  return work;
}

}  // namespace

/// Recorded already, if the pair does here as it did there; else recorded here.
static std::optional<judge::clean_run> clean_run_here(const test_arguments& a,
                                                      const judge::run_options& options) {
  if (a.baseline.empty()) return judge::rehearse(options, {});
  std::ifstream file(a.baseline);
  auto given = judge::clean_run_of(nlohmann::json::parse(file));
  const auto same = judge::works_as(options, given);
  if (!same) return std::nullopt;
  return *same ? given : judge::rehearse(options, {});
}

int play_for_the_outside(const test_arguments& a, const judge::run_options& base) {
  std::optional<judge::clean_run> normal;
  try {
    normal = clean_run_here(a, base);
  } catch (const judge::no_baseline& e) {
    tell_outside({{"stopped", judge::json_of(e)}});
    return 0;
  }
  if (!normal) return 0;
  if (base.cases.empty()) {
    tell_outside({{"started", baseline_alone}});
    tell_outside({{"id", baseline_alone}, {"finished", judge::json_of(*normal)}});
    return 0;
  }
  judge::run_options options = base;
  options.started = [](const std::string& id) { tell_outside({{"started", id}}); };
  options.finished = [&](const judge::case_result& r) { tell_outside({{"id", r.id}, {"finished", r}}); };
  (void)judge::run(options, *normal);
  return 0;
}

std::vector<judge::case_result> play_in_guests(const test_arguments& a, const judge::run_options& options,
                                               const judge::clean_run& usual) {
  test_arguments inside = a;
  inside.baseline = clock::files_folder + std::string(baseline_name);
  std::map<std::string, judge::case_result> results;
  std::vector<judge::case_result> made;
  std::optional<judge::no_baseline> failure;
  const auto keep = [&](judge::case_result r) {
    if (options.finished) options.finished(r);
    results[r.id] = std::move(r);
  };
  shared_work work = work_for(inside, options);
  work.job = [make = work.job, text = judge::to_text(judge::json_of(usual))](const auto& share) {
    clock::job job = make(share);
    job.files.emplace_back(baseline_name, text);
    return job;
  };
  for (const auto* c : options.cases) work.ids.emplace_back(c->id);
  work.started = options.started;
  work.finished = [&](const std::string&, const nlohmann::json& j) { keep(j.get<judge::case_result>()); };
  work.given_up = [&](const std::string& id, const std::string& why) {
    keep(given_up(case_of(options, id), why));
  };
  work.stopped = [&](const nlohmann::json& why) { failure = judge::no_baseline_of(why); };
  work_in_guests(work);
  if (failure) throw judge::no_baseline(*failure);
  for (const std::string& id : work.ids)
    if (const auto found = results.find(id); found != results.end()) made.push_back(std::move(found->second));
  return made;
}

std::optional<judge::clean_run> rehearse_in_guest(const test_arguments& a,
                                                  const judge::run_options& options) {
  std::optional<judge::clean_run> normal;
  std::optional<judge::no_baseline> failure;
  shared_work work = work_for(a, options);
  work.ids = {baseline_alone};
  work.finished = [&](const std::string&, const nlohmann::json& j) { normal = judge::clean_run_of(j); };
  work.given_up = [](const std::string&, const std::string& why) {
    throw lab::error("the baseline: " + why);
  };
  work.stopped = [&](const nlohmann::json& why) { failure = judge::no_baseline_of(why); };
  work_in_guests(work);
  if (failure) throw judge::no_baseline(*failure);
  return normal;
}

}  // namespace halfopen::cli
