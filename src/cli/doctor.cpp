#include "halfopen/lab/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/doctor_text.hpp"
#include "cli/verbs.hpp"
#include "report/terminal.hpp"

namespace halfopen::cli {

bool print_examination(std::FILE* out) {
  const bool colours = report::wants_colour(::fileno(out));
  const auto paint = [&](std::string_view text, report::colour c) {
    return colours ? report::painted(text, c) : std::string(text);
  };
  const auto found = lab::examine();
  for (const lab::requirement& r : found) {
    const auto answer = r.met      ? paint("yes", report::colour::green)
                        : r.needed ? paint("NO ", report::colour::red)
                                   : paint("no ", report::colour::yellow);
    fmt::print(out, "{}  {} ({})\n", answer, r.what, r.detail);
    if (!r.remedy.empty()) fmt::print(out, "     remedy: {}\n", r.remedy);
  }
  const bool good = lab::can_run(found);
  fmt::print(out, "{}\n", good ? "This machine can run the lab." : "This machine cannot run the lab.");
  return good;
}

void add_doctor(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("doctor", "Can this machine run the lab?");
  verb.footer(
      "Tries each requirement, and names the remedy for what is missing.\n"
      "Exit codes: 0 it can, 3 it cannot.\n\nExample:\n  halfopen doctor");
  verb.callback([&exit_code] { exit_code = print_examination(stdout) ? all_met : cannot_run_here; });
}

}  // namespace halfopen::cli
