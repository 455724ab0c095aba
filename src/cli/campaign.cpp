// A campaign is made of nothing but `halfopen test --shard I/N`, each with a report of its own: a job whose
// report is there is done, whoever has played it, so that an engine (Slurm, Kubernetes, GitHub, parallel) may
// start a job again as often as it likes. A report is written whole or not at all.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "cli/campaign_plan.hpp"
#include "cli/judge_reports.hpp"
#include "cli/test_arguments.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "judge/shard.hpp"
#include "judge/text_report.hpp"
#include "play/words.hpp"

namespace halfopen::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct campaign_arguments {
  std::vector<std::string> settings, costs, options;
  std::size_t shards = 0;
  std::string results = "results";
  std::string plan;
  std::size_t job = 0;
};

std::string stem_of(const fs::path& settings) {
  const std::string name = settings.stem().string(), folder = settings.parent_path().filename().string();
  return name == "halfopen" && !folder.empty() ? folder : folder.empty() ? name : folder + "-" + name;
}

int plan(const campaign_arguments& a) {
  std::vector<campaign_part> parts;
  const auto known = a.costs.empty() ? std::vector<judge::judgement>{} : read_judgements(a.costs);
  for (const std::string& path : a.settings) {
    const std::string name = judgement_name_in(path);
    milliseconds cost{};
    for (const auto& [id, took] : judge::costs_in(known, name)) cost += took;
    if (!a.costs.empty() && cost == milliseconds{})
      fmt::print(stderr, "halfopen campaign plan: no report says what '{}' costs; it counts as the mean\n",
                 name);
    parts.push_back({fs::absolute(path), cost});
  }
  const fs::path results = fs::absolute(a.results);
  std::size_t number = 0;
  const auto shares = share_out(parts, std::max(a.shards, parts.size()));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t shard = 1; shard <= shares[i]; ++shard) {
      campaign_job job{
          .number = ++number, .folder = parts[i].settings.parent_path(), .arguments = {}, .report = {}};
      job.report = results / fmt::format("{}-{}-of-{}.json", stem_of(parts[i].settings), shard, shares[i]);
      job.cost = parts[i].cost / static_cast<milliseconds::rep>(shares[i]);
      job.arguments = {"test", "--settings", parts[i].settings.filename().string()};
      job.arguments.insert(job.arguments.end(), a.options.begin(), a.options.end());
      if (shares[i] > 1) {
        job.arguments.insert(job.arguments.end(), {"--shard", fmt::format("{}/{}", shard, shares[i])});
        for (const std::string& file : a.costs)
          job.arguments.insert(job.arguments.end(), {"--costs", fs::absolute(file).string()});
      }
      job.arguments.insert(job.arguments.end(), {"--json", job.report.string()});
      fmt::print("{}", to_line(job));
    }
  }
  return all_met;
}

/// As a child, so that what becomes of the report can be looked at.
int play(const campaign_job& job) {
  std::error_code why;
  fs::create_directories(job.report.parent_path(), why);
  if (why)
    throw usage_error("cannot make the folder " + job.report.parent_path().string() + ": " + why.message());
  std::vector<std::string> words{"halfopen"};
  words.insert(words.end(), job.arguments.begin(), job.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  fs::current_path(job.folder, why);
  if (why) throw usage_error("cannot go to the folder " + job.folder.string() + ": " + why.message());
  const ::pid_t child = ::fork();
  if (child < 0) throw usage_error(fmt::format("fork: {}", std::strerror(errno)));
  if (child == 0) {
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run(const campaign_arguments& a) {
  const auto jobs = read_plan(a.plan);
  if (a.job < 1 || a.job > jobs.size())
    throw usage_error(fmt::format("job {}: the plan has jobs 1 to {}", a.job, jobs.size()));
  const campaign_job& job = jobs[a.job - 1];
  if (is_done(job)) {
    fmt::print("job {} is done: {}\n", job.number, job.report.string());
    return all_met;
  }
  const int code = play(job);
  if (is_done(job)) return all_met;
  fmt::print(stderr, "halfopen campaign run: job {} has no report (halfopen test: exit code {})\n",
             job.number, code);
  return not_met;
}

int status(const campaign_arguments& a) {
  const auto jobs = read_plan(a.plan);
  std::vector<std::size_t> missing;
  milliseconds left{};
  for (const campaign_job& job : jobs)
    if (!is_done(job)) missing.push_back(job.number), left += job.cost;
  fmt::print(stderr, "{} of {} jobs are done\n", jobs.size() - missing.size(), jobs.size());
  if (missing.empty()) return all_met;
  fmt::print(stderr, "missing{}:\n",
             left > milliseconds{} ? fmt::format(", {} of work", play::in_words(left)) : "");
  fmt::print("{}\n", judge::ranges(missing));
  return not_met;
}

void add_plan_file(CLI::App& verb, campaign_arguments& a) {
  verb.add_option("plan", a.plan, "the file that halfopen campaign plan wrote")
      ->required()
      ->type_name("PLAN");
}

void add_plan(CLI::App& campaign, const std::shared_ptr<campaign_arguments>& a, int& exit_code) {
  CLI::App& verb = *campaign.add_subcommand("plan", "Shares judgements out to jobs of about equal cost");
  verb.add_option("settings", a->settings,
                  "settings files, of a pair or a system each; a job runs in the file's folder")
      ->required()
      ->type_name("FILE...");
  verb.add_option("--shards", a->shards, "so many jobs in all; at least one for each file")
      ->type_name("N")
      ->default_str("one for each file");
  verb.add_option("--costs", a->costs, "reports of earlier runs (--json), which say how long each case takes")
      ->type_name("FILE...");
  verb.add_option("--results", a->results, "the folder for the jobs' reports")
      ->type_name("DIR")
      ->capture_default_str();
  verb.add_option("--option", a->options,
                  "a further word for halfopen test: --option=--torture --option=--clock=virtual")
      ->type_name("WORD...");
  verb.footer(
      "Writes a line of JSON a job. The machines must see the same files at the same places.\n\n"
      "Examples:\n"
      "  halfopen campaign plan redis/halfopen.toml nginx/halfopen.toml --shards 16 > plan.jsonl\n"
      "  halfopen campaign plan halfopen.toml --shards 8 --costs last.json --option=--torture > plan.jsonl");
  verb.callback([a, &exit_code] { exit_code = with_usage_told("campaign plan", [&] { return plan(*a); }); });
}

void add_run(CLI::App& campaign, const std::shared_ptr<campaign_arguments>& a, int& exit_code) {
  CLI::App& verb = *campaign.add_subcommand("run", "Plays one job, unless its report is there already");
  add_plan_file(verb, *a);
  verb.add_option("job", a->job, "its number, from 1")->required()->type_name("JOB");
  verb.footer(
      "Exit codes: 0 the report is there, whatever it says of the programs; 1 it is not; 2 bad use.\n\n"
      "Examples:\n"
      "  halfopen campaign run plan.jsonl 3\n"
      "  seq $(wc -l < plan.jsonl) | parallel -j 4 halfopen campaign run plan.jsonl {}\n"
      "  halfopen report merge results/*.json --html all.html");
  verb.callback([a, &exit_code] { exit_code = with_usage_told("campaign run", [&] { return run(*a); }); });
}

void add_status(CLI::App& campaign, const std::shared_ptr<campaign_arguments>& a, int& exit_code) {
  CLI::App& verb = *campaign.add_subcommand("status", "Which jobs have no report yet");
  add_plan_file(verb, *a);
  verb.footer(
      "The standard output has their numbers as Slurm takes them: 3,7-9.\n"
      "Exit codes: 0 all are done, 1 some are not, 2 bad use.\n\n"
      "Examples:\n"
      "  halfopen campaign status plan.jsonl\n"
      "  sbatch --array=$(halfopen campaign status plan.jsonl) campaign.slurm plan.jsonl");
  verb.callback(
      [a, &exit_code] { exit_code = with_usage_told("campaign status", [&] { return status(*a); }); });
}

}  // namespace

void add_campaign(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("campaign", "Judgements on many machines, by an engine that you have");
  verb.require_subcommand(1);
  const auto arguments = std::make_shared<campaign_arguments>();
  add_plan(verb, arguments, exit_code);
  add_run(verb, arguments, exit_code);
  add_status(verb, arguments, exit_code);
}

}  // namespace halfopen::cli
