#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/system_line.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"

namespace halfopen::cli {
namespace {

struct do_arguments {
  system_choice system;
  control::do_request what;
  bool no_wait = false;
};

int run_do(const do_arguments& a) {
  control::request r;
  r.what = control::do_request{a.what.words, !a.no_wait};
  const auto answer = ask_system(a.system, r);
  if (!answer["ok"].get<bool>()) {
    fmt::print(stderr, "halfopen do: {}\n", refusal_of(answer));
    const auto kind = text_of(answer.value("error", nlohmann::json::object()), "kind");
    return kind == "failed" || kind == "wrong_state" ? not_met : bad_arguments;
  }
  fmt::print("{}\n", text_of(answer, "says"));
  return all_met;
}

}  // namespace

void add_do(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<do_arguments>();
  CLI::App& verb = *app.add_subcommand("do", "Does something to a system that is up: halfopen do crash db");
  verb.add_option("ACTION", arguments->what.words, "what is done, and to which host or link; see below")
      ->required()
      ->type_name("");
  verb.add_flag("--no-wait", arguments->no_wait,
                "do not wait until a program that is started is ready, or one that is stopped has ended");
  add_system_options(verb, arguments->system);
  verb.footer("Actions:\n" + control::actions_in_words() +
              "\nA link is two hosts, such as app-db. cut, unreachable, delay, lose and heal each end the "
              "one before.\n"
              "Exit codes: 0 done, 1 cannot be done now or failed, 2 bad use, or no system is up here.\n\n"
              "Examples:\n"
              "  halfopen do crash db\n"
              "  halfopen do start db\n"
              "  halfopen do cut app-db after 100 bytes from db\n"
              "  halfopen do delay app-db 200ms\n"
              "  halfopen do heal app-db");
  verb.callback([arguments, &exit_code] {
    exit_code = with_errors_told("do", bad_arguments, [&] { return run_do(*arguments); });
  });
}

}  // namespace halfopen::cli
