#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/system_line.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "play/words.hpp"
#include "report/utf8.hpp"

namespace halfopen::cli {
namespace {

struct ask_arguments {
  system_choice system;
  std::string what = "probe";
  bool json = false;
};

/// "refused after 12 ms: exit 22: curl: (22) The requested URL returned error: 503"
std::string in_words(const nlohmann::json& ask) {
  const std::string how = text_of(ask, "how");
  std::string text = how + (how == "hung" ? " for " : " after ") +
                     play::in_words(control::milliseconds(ask.value("took_ms", std::int64_t{0})));
  if (how == "refused") text += ": " + play::end_in_words(ask.value("exit", 0), ask.value("signal", 0));
  if (how == "wrong") text += ": exit 0, and it does not print what it printed at the start";
  const std::string says = text_of(ask, "says");
  return text + (says.empty() ? "" : ": " + says);
}

int run_ask(const ask_arguments& a) {
  control::request r;
  r.what = control::ask_request{a.what == "health"  ? judge::probe_kind::health
                                : a.what == "other" ? judge::probe_kind::other
                                                    : judge::probe_kind::probe};
  const auto answer = ask_system(a.system, r);
  const auto ask = answer.find("ask");
  if (!answer["ok"].get<bool>() || ask == answer.end() || !ask->is_object()) {
    fmt::print(stderr, "halfopen ask: {}\n", refusal_of(answer));
    return bad_arguments;
  }
  if (a.json)
    fmt::print("{}\n", ask->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    fmt::print("{}\n", report::clean(in_words(*ask)));
  return text_of(*ask, "how") == "served" ? all_met : not_met;
}

}  // namespace

void add_ask(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<ask_arguments>();
  CLI::App& verb = *app.add_subcommand("ask", "Asks a system that is up, once, and says what came of it");
  verb.add_option("WHAT", arguments->what, "which command of [probe]: probe, health or other; default: probe")
      ->check(CLI::IsMember({"probe", "health", "other"}).description(""))
      ->type_name("");
  verb.add_flag("--json", arguments->json, "as JSON, with all that the command printed");
  add_system_options(verb, arguments->system);
  verb.footer(
      "An ask is served (exit 0, output as at the start), refused (another exit), wrong (exit 0, other\n"
      "output) or hung (not ended within the limit; it is killed).\n"
      "Exit codes: 0 served, 1 refused, wrong or hung, 2 bad use, or no system is up here.\n\n"
      "Examples:\n"
      "  halfopen ask\n"
      "  halfopen ask health\n"
      "  halfopen ask --json | jq -r .output");
  verb.callback([arguments, &exit_code] {
    exit_code = with_errors_told("ask", bad_arguments, [&] { return run_ask(*arguments); });
  });
}

}  // namespace halfopen::cli
