#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/doctor_text.hpp"
#include "cli/lab_arguments.hpp"
#include "cli/report_file.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "cli/within.hpp"
#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "report/progress.hpp"
#include "report/table.hpp"
#include "situation/endings_table.hpp"
#include "situation/runner.hpp"
#include "situation/summary.hpp"
#include "situation/tally.hpp"

namespace halfopen::cli {
namespace {

namespace fs = std::filesystem;
using situation::pair_kind;

/// Runs side by side, unless the user says how many. One lab mostly waits for timers, and
/// more jobs than cores cost little; repeated, the runs that wait for nothing keep the
/// processors busy, and more jobs only make each run slower.
constexpr std::size_t usual_jobs = 64;
constexpr std::size_t usual_jobs_repeated = 16;

std::vector<situation::choice> choose(const std::vector<std::string>& patterns) {
  std::vector<situation::choice> chosen;
  for (const std::string& pattern : patterns.empty() ? std::vector<std::string>{"*"} : patterns) {
    const auto found = situation::find(pattern);
    if (found.empty()) {
      std::string known;
      for (const auto* s : situation::all_situations()) known += " " + std::string(s->name);
      throw usage_error("'" + pattern + "' is no situation, and matches no variant\n  situations:" + known +
                        "\n  variants:   see halfopen list");
    }
    for (const situation::choice& c : found)
      if (std::ranges::none_of(chosen, [&](const auto& had) { return had.variant == c.variant; }))
        chosen.push_back(c);
  }
  return chosen;
}

fs::path make_evidence_folder(const std::string& wanted) {
  if (wanted.empty()) {
    std::string pattern = fs::temp_directory_path() / "halfopen-lab-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
      throw usage_error("cannot make " + pattern + ": " + std::strerror(errno) +
                        "; name a folder with --evidence");
    return pattern;
  }
  std::error_code why;
  fs::create_directories(wanted, why);
  if (why) throw usage_error("cannot make the folder " + wanted + ": " + why.message());
  if (::access(wanted.c_str(), W_OK) < 0)
    throw usage_error("cannot write into " + wanted + ": " + std::strerror(errno));
  return fs::absolute(wanted);
}

/// Two labs that write into one folder would mix their captures.
lab::unique_fd lock(const fs::path& folder) {
  lab::unique_fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) < 0)
    throw usage_error("another lab writes its evidence into " + folder.string() +
                      " now: name another folder");
  return fd;
}

void write_json(const std::string& path, std::span<const situation::result> results, std::size_t total,
                const lab_arguments& arguments) {
  nlohmann::json counts{{"all", total}};
  for (const auto v : {situation::verdict::met, situation::verdict::not_met, situation::verdict::inconclusive,
                       situation::verdict::broken, situation::verdict::not_applicable})
    counts[situation::to_string(v)] = std::ranges::count(results, v, &situation::result::verdict);
  nlohmann::json document{{"halfopen", HALFOPEN_VERSION},
                          {"clock", arguments.clock},
                          {"ip_version", arguments.ip == "6" ? 6 : 4},
                          {"runs", counts},
                          {"rounds", arguments.repeat},
                          {"results", nlohmann::json::array()}};
  // Of later rounds, what was as expected is in the tallies only.
  for (const situation::result& r : results)
    if (r.round == 1 || r.verdict != situation::verdict::met) document["results"].push_back(r);
  if (arguments.repeat > 1) document["tallies"] = situation::tallies(results);
  write_report(path, document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// False if the text could not be written and its reader did not just close the pipe. A signal that comes
/// meanwhile changes nothing.
bool print(std::string_view text, std::FILE* out) {
  std::fflush(out);
  while (!text.empty()) {
    const ssize_t n = ::write(::fileno(out), text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      if (errno == EPIPE) return true;
      fmt::print(stderr, "halfopen lab: cannot write the result: {}\n", std::strerror(errno));
      return false;
    }
  }
  return true;
}

/// All that was seen.
std::string tables(std::span<const situation::result> results, const report::canvas& canvas) {
  const std::string endings = situation::endings_table(results, canvas);
  return situation::summary_table(results, canvas) + (endings.empty() ? "" : "\n" + endings);
}

/// What was played. A repeated lab is all about how often each outcome came, which only tables tell.
std::string shown(std::span<const situation::result> results, const report::canvas& canvas,
                  const lab_arguments& arguments, const situation::machine_matrix* matrix) {
  if (matrix != nullptr) {
    const std::string missing = situation::machines_missing(matrix->machines());
    return matrix->table(results, canvas) + (missing.empty() ? "" : "\n" + missing);
  }
  const bool in_full = arguments.table || arguments.repeat > 1;
  std::string text = in_full ? tables(results, canvas) : situation::overview(results, canvas);
  const auto not_met = situation::of_what_was_not_met(results);
  if (!in_full && !not_met.empty()) text += "\n" + tables(not_met, canvas);
  const std::string agreements = situation::agreements_in_words(results);
  if (!in_full) text += "\nIn full, with what the packets show: halfopen lab --table\n";
  if (agreements.empty()) return text;
  return text + (in_full ? "\n" : "") + agreements +
         (in_full ? "\n" : ": what was done, what the packets tell, what the library reported\n");
}

/// Inside the lab's world, or outside of all guests: plays, prints, gives the exit code.
int play(const lab_arguments& arguments, const situation::run_options& base,
         const situation::machine_matrix* matrix) {
  std::signal(SIGPIPE, SIG_IGN);  // `halfopen lab | head` must not lose the evidence and the JSON
  situation::run_options options = base;
  const std::size_t total = situation::ids_of(options).size();
  std::FILE* out = arguments.json == report::standard_output ? stderr : stdout;
  auto progress = report::progress::on(STDERR_FILENO, total);
  std::vector<std::string> under_way;
  options.started = [&](const std::string& id) { under_way.push_back(id); };
  options.finished = [&](const situation::result& r) {
    std::erase(under_way, situation::id_of(r));
    progress.finished(situation::one_line(r));
  };
  options.tick = [&] {
    if (!under_way.empty())
      progress.show(fmt::format("{} under way: {}", under_way.size(), fmt::join(under_way, ", ")));
  };
  auto results = arguments.clock == "real" ? situation::run(options) : play_in_guests(arguments, options);
  progress.clear();
  const std::size_t played = results.size();
  if (matrix != nullptr)
    std::ranges::copy(matrix->not_applicable(options.pairs), std::back_inserter(results));

  const auto canvas = report::canvas::of(::fileno(out));
  std::string text = "\n" + shown(results, canvas, arguments, matrix);
  if (const std::string missing = situation::shortcomings(results); !missing.empty())
    text += "\n" + missing + "\n";
  else if (arguments.table || arguments.repeat > 1 || matrix != nullptr)
    text += "\n";
  const auto met = static_cast<std::size_t>(
      std::ranges::count(results, situation::verdict::met, &situation::result::verdict));
  int code = met == total ? all_met : not_met;
  if (code == all_met && matrix != nullptr && lacks_one_by_name(arguments, *matrix)) code = cannot_run_here;
  if (played < total) {
    code = 130;
    text += fmt::format("Interrupted: {} of {} runs played, {} as expected. Evidence so far: {}\n", played,
                        total, met, options.evidence.string());
  } else {
    if (results.size() > played) text += fmt::format("{} cells not applicable. ", results.size() - played);
    text += fmt::format("{} of {} runs as expected. Evidence: {}\n", met, total, options.evidence.string());
  }
  const bool printed = print(text, out);
  if (!arguments.json.empty()) write_json(arguments.json, results, total, arguments);
  return printed ? code : int{not_met};
}

/// With the virtual clock: nothing of the lab's happens in this process.
int play_outside(lab_arguments arguments, const situation::run_options& options) {
  arguments.guest.plain = arguments.clock == "virtual-plain";
  const stop_signals until_all_is_written;  // the first ends the playing, the next ones nothing
  try {
    return play(arguments, options, nullptr);
  } catch (const lab::error& e) {
    fmt::print(stderr, "halfopen lab: {}\n", e.what());
    return cannot_run_here;
  }
}

int run_lab(const lab_arguments& arguments) {
  check_date(arguments.guest, arguments.clock);
  situation::run_options options;
  auto matrix = machines_of(arguments);
  if (arguments.explain) return explain_machines(arguments, *matrix);
  options.choices = matrix ? matrix->choices() : choose(arguments.patterns);
  if (arguments.pair != "robust") options.pairs.push_back(pair_kind::naive);
  if (arguments.pair != "naive") options.pairs.push_back(pair_kind::robust);
  options.ip = arguments.ip == "6" ? lab::ip_version::v6 : lab::ip_version::v4;
  options.rounds = arguments.repeat;
  options.only = arguments.only;
  if (arguments.full_length) options.timers = situation::kernel_timers::full_length;
  options.jobs = arguments.jobs != 0    ? arguments.jobs
                 : arguments.repeat > 1 ? usual_jobs_repeated
                                        : usual_jobs;
  options.grace = std::chrono::milliseconds(static_cast<std::int64_t>(arguments.grace * 1000));
  check_report(arguments.json);
  options.evidence = make_evidence_folder(arguments.evidence);
  const lab::unique_fd held = lock(options.evidence);
  if (arguments.clock != "real") return play_outside(arguments, options);
  try {
    return lab::enter([&] {
      try {
        return arguments.events ? play_for_the_outside(options)
                                : play(arguments, options, matrix ? &*matrix : nullptr);
      } catch (const usage_error& e) {  // no exception leaves that world: it is another process
        return refuse("lab", e);
      }
    });
  } catch (const lab::error& e) {
    fmt::print(stderr, "halfopen: {}\n\n", e.what());
    print_examination(stderr);
    return cannot_run_here;
  }
}

}  // namespace

void add_lab(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("lab", "Makes the seven situations happen to the built-in pairs");
  const auto arguments = std::make_shared<lab_arguments>();
  verb.add_option(
          "situations", arguments->patterns,
          "situations (exit), variants (exit/fin-first) or patterns ('crash/idle*'); all if none is named")
      ->type_name("SITUATION...");
  verb.add_option(
          "--clock", arguments->clock,
          "virtual: waiting takes no time, and the kernel's timers run their full length; virtual-plain: "
          "the same, but computing takes time there")
      ->check(CLI::IsMember({"real", "virtual", "virtual-plain"}).description(""))
      ->type_name("real|virtual|virtual-plain")
      ->capture_default_str();
  verb.add_option("--pair", arguments->pair, "which pair plays")
      ->check(CLI::IsMember({"naive", "robust", "both"}).description(""))
      ->type_name("naive|robust|both")
      ->capture_default_str();
  verb.add_option("--ip", arguments->ip, "IP version")
      ->check(CLI::IsMember({"4", "6"}).description(""))
      ->type_name("4|6")
      ->capture_default_str();
  verb.add_option("--evidence", arguments->evidence,
                  "folder for the captures, one pcapng a run; default: a new one in /tmp")
      ->type_name("DIR");
  verb.add_option("--json", arguments->json, "write the results there too; - for the standard output")
      ->type_name("FILE");
  verb.add_flag("--table,--verbose", arguments->table,
                "also of what was as expected: what was done, what the packets show, what both programs saw");
  verb.add_option("--grace", arguments->grace, "at shutdown, from SIGTERM to SIGKILL")
      ->check(within(0.5, 50.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option(
          "--repeat", arguments->repeat,
          "play each run N times; captures are kept of the first round, and of each run that is not met")
      ->check(CLI::Range(1, 100'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  verb.add_option("--jobs", arguments->jobs, "runs side by side; most of their time is waiting")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->default_str(fmt::format("{}, or {} with --repeat; in each guest of the virtual clock 10", usual_jobs,
                                usual_jobs_repeated));
  add_guest_options(verb, arguments->guest);
  add_machine_options(verb, *arguments);
  // What a guest's lab is told by the one outside; in no help.
  verb.add_option("--only", arguments->only)->group("");
  verb.add_flag("--full-length", arguments->full_length)->group("");
  verb.add_flag("--events", arguments->events)->group("");
  verb.footer(
      "A run is met, not met, inconclusive (the packets do not prove the fault) or broken (the lab failed).\n"
      "It is not met, too, if what was done, the packets and the robust program's report do not agree.\n"
      "Exit codes: 0 all met, 1 some not, 2 bad arguments, 3 this machine cannot run it, 130 interrupted.\n\n"
      "Examples:\n"
      "  halfopen lab\n"
      "  halfopen lab crash --pair naive --table\n"
      "  halfopen lab exit/fin-first 'reboot/*' --evidence captures --json results.json\n"
      "  halfopen lab exit sigpipe abort --pair robust --repeat 1000\n"
      "  halfopen lab format --arch s390x,i686  (once before: scripts/build-arch)\n"
      "  halfopen lab format --explain\n"
      "  halfopen lab --clock virtual           (once before: halfopen clock build)");
  verb.callback(
      [arguments, &exit_code] { exit_code = with_usage_told("lab", [&] { return run_lab(*arguments); }); });
}

}  // namespace halfopen::cli
