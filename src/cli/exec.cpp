#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/system_line.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "control/job.hpp"

namespace halfopen::cli {
namespace {

/// As docker, podman and env(1) have it: the command's own exit codes are below.
constexpr int not_run = 125;

struct exec_arguments {
  system_choice system;
  std::string host;
  std::vector<std::string> argv;
  bool input = false;
};

std::string all_of_standard_input() {
  std::string all;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(n));
    if (all.size() > control::longest_line / 2)
      throw usage_error("--input: more than 512 KiB; name a file to the command instead");
  }
}

void pass_on(const nlohmann::json& part) {
  const auto bytes = control::from_base64(text_of(part, "base64"));
  if (!bytes) return;
  std::FILE* to = text_of(part, "stream") == "errors" ? stderr : stdout;
  (void)std::fwrite(bytes->data(), 1, bytes->size(), to);
  (void)std::fflush(to);
}

int run_exec(const exec_arguments& a) {
  control::request r;
  const bool marked = a.argv.front() == "--";
  std::vector<std::string> argv(a.argv.begin() + (marked ? 1 : 0), a.argv.end());
  if (argv.empty()) throw usage_error("no command is named: halfopen exec HOST -- COMMAND");
  r.what = control::exec_request{a.host, std::move(argv), a.input ? all_of_standard_input() : ""};
  const auto answer = ask_system(a.system, r, pass_on);
  if (!answer["ok"].get<bool>()) {
    fmt::print(stderr, "halfopen exec: {}\n", refusal_of(answer));
    return not_run;
  }
  const int signal = answer.value("signal", 0);
  return signal != 0 ? 128 + signal : answer.value("exit", 0);
}

}  // namespace

void add_exec(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<exec_arguments>();
  CLI::App& verb = *app.add_subcommand("exec", "Runs a command on a host of a system that is up");
  verb.add_option("HOST", arguments->host, "on which host; 'user' is that of the probe")
      ->required()
      ->type_name("");
  verb.add_option("COMMAND", arguments->argv, "the command and its arguments, after --")
      ->required()
      ->type_name("");
  verb.add_flag("-i,--input", arguments->input,
                "give it this standard input, read to its end; else it has none");
  add_system_options(verb, arguments->system);
  verb.positionals_at_end();  // what follows the host is the command's, options and all
  verb.footer(
      "It runs beside the host's programs, with its network, names, processes and HALFOPEN_DIR, and without\n"
      "a terminal. Ctrl-C ends it.\n"
      "Exit codes: the command's own; 128 + N if signal N ended it; 125 if it could not be run.\n\n"
      "Examples:\n"
      "  halfopen exec app -- ss -tnp\n"
      "  halfopen exec user -- curl -sS http://app:3000/\n"
      "  halfopen exec db -- sh -c 'ls -l $HALFOPEN_DIR'\n"
      "  echo 'GET visits' | halfopen exec -i db -- redis-cli");
  verb.callback([arguments, &exit_code] {
    exit_code = with_errors_told("exec", not_run, [&] { return run_exec(*arguments); });
  });
}

}  // namespace halfopen::cli
