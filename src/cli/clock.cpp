// `halfopen clock`: the virtual clock's kernel, and any program under it.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/clock_options.hpp"
#include "cli/verbs.hpp"
#include "clock/guest.hpp"
#include "clock/kernel.hpp"
#include "report/progress.hpp"

namespace halfopen::cli {
namespace {

int build() {
  auto progress = report::progress::on(STDERR_FILENO, 0);
  const bool live = ::isatty(STDERR_FILENO) == 1;
  int lines = 0;
  const auto made = clock::build_kernel([&](std::string_view line) {
    // A file need not have every count.
    const bool counts = line.starts_with("compiling: ");
    if (live && counts)
      progress.show(std::string(line));
    else if (!counts || lines++ % 100 == 99)
      progress.say(line);
  });
  progress.clear();
  if (!made) {
    fmt::print(stderr, "halfopen clock build: {}\n", made.error());
    return cannot_run_here;
  }
  fmt::print("{}\n", made->executable.string());
  return all_met;
}

int status(bool path_only) {
  const auto found = clock::find_kernel();
  if (path_only) {
    if (found) fmt::print("{}\n", found->executable.parent_path().string());
    return found ? all_met : cannot_run_here;
  }
  const auto version = clock::source_version();
  fmt::print("kernel:  {}\n",
             found ? found->executable.string() : "not there; to build it: halfopen clock build");
  fmt::print("source:  {} {}\n", clock::source_package,
             version.value_or("is not installed (the build installs it)"));
  fmt::print("recipe:  {}\n", clock::recipe());
  if (found && version && found->key != *version + "-" + clock::recipe())
    fmt::print("The kernel is of another version of the source; halfopen clock build makes the newer one.\n");
  return found ? all_met : cannot_run_here;
}

struct run_arguments {
  std::vector<std::string> argv;
  guest_arguments guest;
  std::vector<std::string> writable;
  bool tell_time = false;
};

int run(const run_arguments& arguments) {
  const auto k = clock::find_kernel();
  if (!k) {
    fmt::print(stderr, "halfopen clock run: {}\n", no_kernel);
    return cannot_run_here;
  }
  clock::job job = clock::job_here(arguments.argv);
  for (const std::string& w : arguments.writable) job.writable.push_back(std::filesystem::absolute(w));
  clock::guest_options how = options_of(arguments.guest);
  how.output = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout), std::fflush(stdout);
  };
  how.errors = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  const stop_signals stop;
  clock::guest g(*k, job, std::move(how));
  clock::guest* const all[]{&g};
  bool told = ::isatty(STDERR_FILENO) != 1;
  while (!g.ended()) {
    clock::wait_for_any(all, std::chrono::milliseconds(100));
    if (!told && g.standstill() > std::chrono::seconds(1)) {
      fmt::print(
          stderr,
          "halfopen clock run: the guest's time stands still at {:.3f} s: a program computes, or spins{}\n",
          std::chrono::duration<double>(g.guest_time()).count(),
          arguments.guest.standstill_limit > 0
              ? fmt::format(" (ended after {} s, --standstill-limit)", arguments.guest.standstill_limit)
              : "");
      told = true;
    }
    if (stop_signals::asked()) g.stop();
  }
  if (arguments.tell_time)
    fmt::print(stderr, "halfopen clock run: {:.3f} s of its time, {:.3f} s of ours\n",
               std::chrono::duration<double>(g.ended()->guest_time).count(),
               std::chrono::duration<double>(g.ended()->real_time).count());
  if (g.ended()->how == clock::guest_fate::done) return g.ended()->code;
  if (g.ended()->how == clock::guest_fate::stopped) return 130;
  fmt::print(stderr, "halfopen clock run: {}: {}\n", arguments.argv[0], clock::in_words(*g.ended()));
  return guest_failed;
}

void add_run(CLI::App& parent, int& exit_code) {
  CLI::App& verb = *parent.add_subcommand("run", "Any program under the virtual clock");
  const auto arguments = std::make_shared<run_arguments>();
  verb.add_option("PROGRAM", arguments->argv, "the program and its arguments")->required();
  verb.positionals_at_end();
  verb.prefix_command(false);
  add_guest_options(verb, arguments->guest);
  verb.add_flag("--computing-takes-time", arguments->guest.plain,
                "its time runs on while it computes; without, a run repeats exactly");
  verb.add_option("--writable", arguments->writable,
                  "a folder that it may change; all else is a copy, gone at the end")
      ->type_name("DIR");
  verb.add_flag("--tell-time", arguments->tell_time,
                "say at the end how much time has passed, inside and out");
  verb.footer(
      "It is root inside, sees the host's files, and has a network of its own with nothing but\n"
      "loopback. Its standard input is empty. The exit status is its own; 125 if the guest fails.\n\n"
      "Examples:\n"
      "  halfopen clock run -- sleep 86400\n"
      "  halfopen clock run --writable results -- sh -c 'redis-server & ...; cp log results/'");
  verb.callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace

void add_clock(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("clock", "The virtual clock, under which waiting takes no time");
  verb.require_subcommand(1);
  CLI::App& make = *verb.add_subcommand("build", "Makes its kernel, once a machine; takes minutes");
  make.footer(
      "It installs what is missing with apt-get, and prints where the kernel is.\n"
      "Exit codes: 0 it is there, 3 it could not be built.");
  make.callback([&exit_code] { exit_code = build(); });
  CLI::App& tell = *verb.add_subcommand("status", "Is the kernel there, and which?");
  tell.footer("Exit codes: 0 it is there, 3 it is not.");
  const auto path_only = std::make_shared<bool>(false);
  tell.add_flag("--path", *path_only, "only the kernel's folder, for scripts");
  tell.callback([path_only, &exit_code] { exit_code = status(*path_only); });
  add_run(verb, exit_code);
  verb.footer(
      "More: docs/virtual-clock.md\n\nExamples:\n  halfopen clock build\n  halfopen lab --clock virtual");
}

}  // namespace halfopen::cli
