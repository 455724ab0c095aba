#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/system_line.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"

namespace halfopen::cli {
namespace {

int run_down(const system_choice& choice) {
  const auto line = line_to(choice);
  control::request r;
  r.what = control::down_request{};
  const auto answer = control::ask_system(line, r);
  if (!answer) throw usage_error(answer.error());
  control::until_gone(line.process);
  const std::string capture = text_of(*answer, "capture");
  fmt::print("the system is down{}\n", capture.empty() ? "" : "; its packets: " + capture);
  return all_met;
}

}  // namespace

void add_down(CLI::App& app, int& exit_code) {
  const auto choice = std::make_shared<system_choice>();
  CLI::App& verb = *app.add_subcommand("down", "Ends a system that is up; its packets stay");
  add_system_options(verb, *choice);
  verb.footer(
      "It returns when nothing of the system is left but its capture.\n"
      "Exit codes: 0 it is down, 2 bad use, or no system was up here.\n\n"
      "Examples:\n"
      "  halfopen down\n"
      "  halfopen down --settings shop/halfopen.toml");
  verb.callback([choice, &exit_code] {
    exit_code = with_errors_told("down", bad_arguments, [&] { return run_down(*choice); });
  });
}

}  // namespace halfopen::cli
