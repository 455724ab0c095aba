#include "halfopen/lab/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "audit/tracepoints.hpp"
#include "cli/doctor_text.hpp"
#include "cli/verbs.hpp"
#include "clock/doctor.hpp"
#include "report/terminal.hpp"

namespace halfopen::cli {

namespace {

void print(std::FILE* out, const std::vector<lab::requirement>& found) {
  const bool colours = report::wants_colour(::fileno(out));
  const auto paint = [&](std::string_view text, report::colour c) {
    return colours ? report::painted(text, c) : std::string(text);
  };
  for (const lab::requirement& r : found) {
    const auto answer = r.met      ? paint("yes", report::colour::green)
                        : r.needed ? paint("NO ", report::colour::red)
                                   : paint("no ", report::colour::yellow);
    fmt::print(out, "{}  {} ({})\n", answer, r.what, r.detail);
    if (!r.remedy.empty()) fmt::print(out, "     remedy: {}\n", r.remedy);
  }
}

/// What `halfopen watch` can do without.
void print_for_watch() {
  const auto there = audit::tracepoints::open();
  print(stdout, {{.what = "BPF: who ended a connection, and why",
                  .met = there.has_value(),
                  .needed = false,
                  .detail = there ? "a program at the kernel's tracepoints" : there.error(),
                  .remedy = {}}});
}

/// Each clock has requirements of its own; one of them is enough.
int print_both() {
  fmt::print("With the real clock:\n");
  const bool real = print_examination(stdout);
  fmt::print("\nWith the virtual clock:\n");
  const auto found = clock::examine();
  print(stdout, found);
  const bool with_guests = lab::can_run(found);
  fmt::print("{}\n", with_guests ? "This machine can run the lab with the virtual clock."
                                 : "This machine cannot run the lab with the virtual clock.");
  fmt::print("\nWith halfopen watch:\n");
  print_for_watch();
  return real || with_guests ? all_met : cannot_run_here;
}

}  // namespace

bool print_examination(std::FILE* out) {
  const auto found = lab::examine();
  print(out, found);
  const bool good = lab::can_run(found);
  fmt::print(out, "{}\n", good ? "This machine can run the lab." : "This machine cannot run the lab.");
  return good;
}

void add_doctor(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("doctor", "Can this machine run the lab?");
  verb.footer(
      "Tries each requirement, and names the remedy for what is missing.\n"
      "Exit codes: 0 it can, with one clock at least; 3 it cannot.\n\nExample:\n  halfopen doctor");
  verb.callback([&exit_code] { exit_code = print_both(); });
}

}  // namespace halfopen::cli
