#include "control/state.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/system_line.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"

namespace halfopen::cli {
namespace {

struct state_arguments {
  system_choice system;
  bool json = false;
};

int run_state(const state_arguments& a) {
  control::request r;
  r.what = control::state_request{};
  const auto answer = ask_system(a.system, r);
  const auto state = answer.find("state");
  if (!answer["ok"].get<bool>() || state == answer.end()) {
    fmt::print(stderr, "halfopen state: {}\n", refusal_of(answer));
    return not_met;
  }
  if (a.json) {
    fmt::print("{}\n", state->dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return all_met;
  }
  const auto text = control::to_text(*state, report::canvas::of(STDOUT_FILENO));
  if (!text) throw usage_error("the system is one of another version of halfopen's");
  fmt::print("{}", *text);
  return all_met;
}

}  // namespace

void add_state(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<state_arguments>();
  CLI::App& verb = *app.add_subcommand("state", "Hosts, links and connections of a system that is up");
  verb.add_flag("--json", arguments->json, "as JSON (docs/control.md)");
  add_system_options(verb, arguments->system);
  verb.footer(
      "For each end of a connection: how long a program that waits on it would wait if the other side were\n"
      "gone, by the options that the socket really has and the host's settings. Computed, not measured.\n"
      "Exit codes: 0 told, 1 not, 2 bad use, or no system is up here.\n\n"
      "Examples:\n"
      "  halfopen state\n"
      "  halfopen state --json | jq '.connections[] | select(.half_open)'");
  verb.callback([arguments, &exit_code] {
    exit_code = with_errors_told("state", bad_arguments, [&] { return run_state(*arguments); });
  });
}

}  // namespace halfopen::cli
