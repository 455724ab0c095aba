#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <span>

#include "cli/choose_cases.hpp"
#include "cli/confirm_cases.hpp"
#include "cli/doctor_text.hpp"
#include "cli/repeat_command.hpp"
#include "cli/settings_file.hpp"
#include "cli/system_file.hpp"
#include "cli/test_arguments.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "cli/within.hpp"
#include "clock/kernel.hpp"
#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/error.hpp"
#include "judge/confirm.hpp"
#include "judge/document.hpp"
#include "judge/protocol.hpp"
#include "judge/runner.hpp"
#include "judge/text_report.hpp"
#include "report/progress.hpp"
#include "report/table.hpp"
#include "report/whole_file.hpp"

namespace halfopen::cli {
namespace {

namespace fs = std::filesystem;

/// Options that choose cases or name reports: no part of the command that repeats one case.
std::set<std::string> about_the_whole() {
  std::set<std::string> names = judge_reports::names();
  names.insert({"case", "skip", "subject", "shard", "costs", "jobs", "evidence", "dry-run", "settings",
                "replay", "torture", "sample", "seed", "request", "connection", "verbose"});
  return names;
}

void list(const std::vector<const judge::judge_case*>& cases) {
  std::size_t width = 12;
  for (const auto* c : cases) width = std::max(width, c->id.size());
  for (const auto* c : cases)
    fmt::print("{:<{}} {:<8}{}\n", c->id, width, judge::to_string(c->subject), c->done);
}

std::string now_in_words() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

void show_output(std::string_view whose, const std::string& text) {
  if (text.empty()) return;
  fmt::print(stderr, "\n  {}:\n", whose);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    fmt::print(stderr, "    {}\n", text.substr(begin, end - begin));
    begin = end + 1;
  }
}

int explain_no_baseline(const judge::no_baseline& e) {
  fmt::print(stderr, "halfopen test: {}\n  {}\n", e.what(), e.hint);
  show_output("output of the " + e.server_name, e.server_output);
  show_output("error output of the " + e.server_name, e.server_errors);
  show_output("output of the " + e.client_name, e.output);
  show_output("error output of the " + e.client_name, e.errors);
  return bad_arguments;
}

[[nodiscard]] bool only_virtual(const test_arguments& a) {
  return a.clock == "virtual" || a.clock == "virtual-plain";
}

/// What the two do with nothing wrong; nothing if somebody asked to stop. Both clocks.
std::optional<judge::clean_run> rehearse(const test_arguments& a, const judge::run_options& options) {
  auto progress = report::progress::on(STDERR_FILENO, 1);
  progress.show(options.parts ? "the system, with nothing wrong"
                              : "the baseline: both programs, with nothing wrong");
  judge::run_options quiet = options;
  quiet.tick = [&] { progress.tick(); };
  auto base = only_virtual(a) ? rehearse_in_guest(a, quiet) : judge::rehearse(quiet, quiet.tick);
  progress.clear();
  return base;
}

/// The cases, on the terminal while they are played.
class played_cases {
 public:
  played_cases(judge::run_options& options, std::size_t count, bool verbose)
      : progress_(report::progress::on(STDERR_FILENO, count)) {
    options.started = [this](const std::string& id) { under_way_.push_back(id); };
    options.finished = [this, verbose](const judge::case_result& r) {
      std::erase(under_way_, r.id);
      const std::string line =
          r.provisional ? r.id + ": not over yet; it will be played again" : judge::one_line(r);
      verbose ? progress_.finished_for_good(line) : progress_.finished(line);
    };
    options.tick = [this] {
      if (!under_way_.empty())
        progress_.show(fmt::format("{} under way: {}", under_way_.size(), fmt::join(under_way_, ", ")));
    };
  }
  void say(const std::string& what) { progress_.say(what); }

 private:
  report::progress progress_;
  std::vector<std::string> under_way_;
};

/// With a guest's kernel at hand nobody waits for hangs: what has not happened by then is left to it.
constexpr judge::milliseconds first_look{5000};

/// Every case once, and those whose verdict rests on time a second time.
confirmed_results play_cases(const test_arguments& a, judge::run_options& options,
                             const judge::clean_run& base) {
  std::optional<played_cases> shown;
  const auto show = [&](judge::run_options& some, const std::string& what) {
    shown.emplace(some, some.cases.size(), a.verbose);
    if (!what.empty()) shown->say(what);
  };
  show(options, "");
  confirmed_results made;
  if (only_virtual(a)) {
    made.results = play_in_guests(a, options, base);
    for (judge::case_result& r : made.results)
      if (r.confirmed == judge::confirmation::wanted) r.confirmed = judge::confirmation::virtual_clock;
    made.interrupted = made.results.size() < options.cases.size();
    return made;
  }
  if (a.clock == "auto" && clock::find_kernel()) {
    options.programs.first_look = first_look;
    if (options.parts) options.parts->first_look = first_look;
  }
  made.results = judge::run(options, base);
  made.interrupted = made.results.size() < options.cases.size();
  if (!made.interrupted) return confirm(a, options, base, std::move(made.results), show);
  for (judge::case_result& r : made.results)
    r = judge::unconfirmed(r, "interrupted before it was played again");
  return made;
}

/// What was judged, for who reads the report.
void describe(judge::judgement& judged, const test_arguments& a, const judge::run_options& options) {
  judged.name = name_of(a, options.parts);
  if (!options.parts) {
    judged.server_command = a.server;
    judged.client_command = a.client;
    return;
  }
  for (const judge::system_host& h : options.parts->hosts)
    judged.hosts.push_back({h.name, h.command, h.needs});
  judged.probe = options.parts->ask.probe;
  judged.health = options.parts->ask.health;
  judged.other = options.parts->ask.other;
}

/// Plays, prints, gives the exit code.
int play(const test_arguments& a, judge::run_options options) {
  std::signal(SIGPIPE, SIG_IGN);
  const stop_signals until_all_is_written;  // the first ends the playing, the next ones nothing
  const auto base = rehearse(a, options);
  if (!base || stop_signals::asked()) {
    fmt::print(stderr, "halfopen test: interrupted before a case was played\n");
    return 130;
  }
  if (const auto* pair = std::get_if<judge::baseline>(&*base))
    options.cases = a.torture.empty() ? at_places(options.cases, *pair, a.request, a.connection)
                                      : cases_of_torture(a, *pair);
  else if (!a.torture.empty())
    options.cases = cases_of_torture(a, *options.parts, std::get<judge::steady_state>(*base));
  std::FILE* out = a.reports.for_people();

  judge::judgement judged;
  auto played = play_cases(a, options, *base);
  judged.results = std::move(played.results);
  judged.remarks = remarks_on(*base);
  describe(judged, a, options);
  judged.clock = a.clock != "auto"      ? a.clock
                 : clock::find_kernel() ? "real, confirmed by the virtual"
                                        : "real";
  judged.version = HALFOPEN_VERSION;
  judged.date = now_in_words();
  judged.repeat = a.repeat;
  judged.planned = options.cases.size();
  if (const judge::shard part = parse_shard(a.shard); part.of > 1)
    judged.shards = {part.of, {part.index + 1}};
  judged.interrupted = played.interrupted || judged.results.size() < judged.planned;
  judged.ip_version = a.ip == "6" ? 6 : 4;
  const auto canvas = report::canvas::of(::fileno(out));
  std::string text = "\n";
  if (!a.torture.empty())
    text += judge::torture_table(judged, canvas);
  else if (a.verbose || judged.results.size() <= judge::few_cases)
    text += judge::summary_table(judged, canvas);
  else
    text += judge::family_table(judged, canvas);
  text += "\n" + judge::shortcomings(a.torture.empty() ? judged : judge::where_it_changes(judged), canvas);
  for (const std::string& remark : judged.remarks) text += "Note: " + remark + ".\n";
  text += judge::counts_in_words(judged) + (a.evidence.empty() ? "" : ". Evidence: " + a.evidence) + "\n";
  (void)report::write_whole_file(out == stdout ? "-" : "/dev/stderr", text);
  const std::span<const judge::judgement> one(&judged, 1);
  a.reports.write(one, a.strict);
  if (judged.interrupted) return 130;
  return judge::exit_code_of(judged.results, a.strict);
}

/// What can go wrong on the way, in words; no exception leaves a lab's world, which is another process.
int with_errors_told(const std::function<int()>& action) {
  try {
    return action();
  } catch (const judge::no_baseline& e) {
    return explain_no_baseline(e);
  } catch (const usage_error& e) {
    return refuse("test", e);
  } catch (const lab::error& e) {
    fmt::print(stderr, "halfopen test: {}\n", e.what());
    return cannot_run_here;
  }
}

/// With the real clock first; a hang is measured where the virtual clock's kernel is there.
void say_what_is_missing(const test_arguments& a) {
  if (a.clock == "auto" && !a.events && !clock::find_kernel())
    fmt::print(
        stderr,
        "The virtual clock's kernel is not there: how long a hang lasts is computed, not measured. Once a "
        "machine, some minutes: halfopen clock build\n");
}

int run_test(test_arguments a) {
  judge::run_options options;
  options.parts = system_of(a);
  if (options.parts && a.torture == "bytes")
    throw usage_error(
        "--torture=bytes loses one of a pair; of a system, --torture loses a dependency again "
        "at every packet of a reconnection");
  if (!a.costs.empty()) a.known_costs = judge::costs_in(read_judgements(a.costs), name_of(a, options.parts));
  if (a.torture.empty() && !a.rehearse)
    options.cases = options.parts ? outages_of(a, *options.parts) : cases_of_catalogue(a);
  if (a.dry_run) {
    if (!a.torture.empty())
      throw usage_error("--dry-run and --torture: the places are known only when the two have talked");
    list(options.cases);
    return all_met;
  }
  if (!options.parts && (a.server.empty() || a.client.empty()))
    throw usage_error(
        "both --server and --client are needed, two commands that talk to each other; or --server, --service "
        "and --probe: a dependency, a service that needs it, and a command that asks the service");
  if (!options.parts) options.programs = pair_of(a);
  options.programs.virtual_clock = a.full_length;
  options.programs.each_connection =
      !a.connection.empty() ||
      std::ranges::any_of(options.cases, [](const auto* c) { return c->connection > 0; });
  if (a.jobs != 0) options.jobs = a.jobs;
  if (!a.evidence.empty()) {
    std::error_code why;
    fs::create_directories(a.evidence, why);
    if (why) throw usage_error("cannot make the folder " + a.evidence + ": " + why.message());
    options.evidence = fs::absolute(a.evidence);
  }
  a.reports.check();
  check_place("--request", a.request);
  check_place("--connection", a.connection);
  say_what_is_missing(a);
  check_date(a.guest, a.clock);
  a.guest.plain = a.clock == "virtual-plain";
  if (only_virtual(a)) return with_errors_told([&] { return play(a, options); });
  try {
    return lab::enter([&] {
      return with_errors_told([&] { return a.events ? play_for_the_outside(a, options) : play(a, options); });
    });
  } catch (const lab::error& e) {
    fmt::print(stderr, "halfopen: {}\n\n", e.what());
    print_examination(stderr);
    return cannot_run_here;
  }
}

}  // namespace

static std::vector<std::string> remarks_on(const judge::steady_state& usual) {
  std::vector<std::string> remarks;
  for (const auto& [which, answer] : {std::pair{"probe", &usual.probe}, std::pair{"health", &usual.health},
                                      std::pair{"other", &usual.other}})
    if (answer->varies)
      remarks.push_back(fmt::format(
          "what the {} prints differs from time to time: {}", which,
          answer->same_shape ? "only its shape is compared" : "only its exit status is looked at"));
  for (const std::string& name : usual.forgetful)
    remarks.push_back("a restart of " + name +
                      " alone changes what the probe prints: another output after it is nobody's fault");
  if (!usual.concurrent)
    remarks.emplace_back(
        "four asks at one time were not all served: connections of a pool are not all tried");
  return remarks;
}

std::vector<std::string> remarks_on(const judge::clean_run& usual) {
  std::vector<std::string> remarks;
  if (const auto* steady = std::get_if<judge::steady_state>(&usual)) return remarks_on(*steady);
  const auto& base = std::get<judge::baseline>(usual);
  if (base.varies)
    remarks.emplace_back(
        "the client's output differs between two clean runs, each with a fresh server: only its "
        "shape is compared");
  if (const std::string words = judge::spoken_in_words(base.said.main()); !words.empty())
    remarks.push_back("they speak " + words);
  if (const std::size_t several = base.said.connections.size(); several > 1)
    remarks.push_back(
        fmt::format("the client opens {} connections{}: faults fall on one of them, and with --connection "
                    "all on each in turn",
                    several, base.by_chance ? ", and shares out its work otherwise each time" : ""));
  for (const std::string& why : std::set{base.no_replay_to_server, base.no_replay_to_client})
    if (!why.empty()) remarks.push_back(why + ": the real program plays where it does not");
  if (const std::string error = judge::error_in_usual_output(base.output); !error.empty())
    remarks.push_back("the client's usual output looks like an error (\"" + error +
                      "\"), and its exit status is 0: is this the exchange that you want to be judged?");
  if (base.output.empty())
    remarks.emplace_back(
        "the client prints nothing: a half reply that it takes for a whole one cannot be seen");
  return remarks;
}

static std::string settings_of(const test_arguments& a) {
  return a.settings.empty() ? "halfopen.toml" : a.settings;
}

void add_test(CLI::App& app, int& exit_code) {
  CLI::App& verb =
      *app.add_subcommand("test", "Judges any server and client: what does each do when the other dies?");
  const auto arguments = std::make_shared<test_arguments>();
  add_options(verb, *arguments);
  verb.footer(
      "Both programs run unmodified, each on a virtual host, with TMPDIR and HALFOPEN_DIR set to a\n"
      "folder of its host's own. What they say to each other with nothing wrong is recorded, and played "
      "back\n"
      "to each with a fault in it. A failed case says what to change.\n\n"
      "Exit codes: 0 all pass, 1 some fail, 2 bad use or no baseline, 3 this machine cannot run it,\n"
      "4 nothing failed but something was inconclusive, 130 interrupted.\n\n"
      "Examples:\n"
      "  halfopen test --server 'redis-server --port 6379 --protected-mode no --save \"\"' \\\n"
      "                --client 'redis-cli -h server ping'\n"
      "  halfopen test --server ./my-server --client './my-client server' --case crash --evidence found\n"
      "  halfopen test --settings project.toml --strict --json results.json\n"
      "  halfopen test --server ./my-server --client './my-client server' --torture=bytes\n"
      "  halfopen test --server ./my-server --client './my-client server' --replay kill-server@7\n"
      "  halfopen test --server 'redis-server --protected-mode no --save \"\"' \\\n"
      "                --service 'node app.js --redis server:6379' --probe 'curl -fsS "
      "http://service:3000/'\n\n"
      "A settings file has the long options' names as keys: server = \"...\", limit = 10, skip = "
      "[\"idle\"].\n"
      "A system of more hosts is described there too: [hosts.NAME] with run, needs, port, ready, env, "
      "restart,\n"
      "serves and judge, and [probe] with run, health and other (docs/systems.md).");
  verb.callback([arguments, &verb, &exit_code] {
    try {
      if (!arguments->events) read_settings(verb, arguments->settings, "halfopen.toml", system_tables());
      if (!arguments->events) arguments->from_file = read_system(settings_of(*arguments));
      if (arguments->from_file && !(arguments->server + arguments->client + arguments->service).empty())
        throw usage_error(
            settings_of(*arguments) +
            " describes a system ([hosts]), and --server, --client or --service another one: leave "
            "them out, or name another file with --settings");
      arguments->repeat = repeat_command(verb, program_invocation_name, about_the_whole());
      if (arguments->from_file)
        arguments->repeat += " --settings " + judge::shell_quoted(settings_of(*arguments));
      exit_code = run_test(*arguments);
    } catch (const settings_error& e) {
      exit_code = refuse("test", usage_error(e.what()));
    } catch (const usage_error& e) {
      exit_code = refuse("test", e);
    }
  });
}

}  // namespace halfopen::cli
