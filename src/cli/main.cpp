#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "cli/verbs.hpp"
#include "cli/version.hpp"
#include "clock/guest_init.hpp"
#include "halfopen/lab/error.hpp"

namespace {

int unknown_verb(const CLI::App& app, const char* name) {
  std::fprintf(stderr, "halfopen: there is no verb '%s'; there are:", name);
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); }))
    std::fprintf(stderr, " %s", verb->get_name().c_str());
  std::fprintf(stderr, "\nRun halfopen --help for more.\n");
  return halfopen::cli::bad_arguments;
}

int run(int argc, char** argv) {
  using namespace halfopen::cli;
  int exit_code = 0;
  CLI::App app("What does a TCP client or server do when the other side dies?", "halfopen");
  app.set_version_flag("--version", version_in_words());
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  add_lab(app, exit_code);
  add_test(app, exit_code);
  add_report(app, exit_code);
  add_campaign(app, exit_code);
  add_up(app, exit_code);
  add_do(app, exit_code);
  add_ask(app, exit_code);
  add_exec(app, exit_code);
  add_state(app, exit_code);
  add_down(app, exit_code);
  add_list(app, exit_code);
  add_doctor(app, exit_code);
  add_autopsy(app, exit_code);
  add_audit(app, exit_code);
  add_watch(app, exit_code);
  add_clock(app, exit_code);
  add_explain(app, exit_code);
  add_serve(app, exit_code);
  add_call(app, exit_code);
  add_bytes(app, exit_code);
  add_manual(app, exit_code);
  app.footer(
      "Exit codes: 0 as expected, 1 not as expected, 2 bad arguments, 3 this machine cannot run it.\n"
      "Begin with: halfopen lab");
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& e) {
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty()) return unknown_verb(app, argv[1]);
    app.exit(e);
    return bad_arguments;
  } catch (const CLI::ParseError& e) {
    // CLI11's own codes are above 100; help and version are no errors.
    return app.exit(e) == 0 ? 0 : bad_arguments;
  }
  return exit_code;
}

}  // namespace

namespace {

/// What was not written was not said: a full disk is no success. Of a reader that has gone, nobody wants to
/// know.
int with_output_written(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  if (errno == EPIPE) return code;
  std::fprintf(stderr, "halfopen: the standard output could not be written: %s\n", std::strerror(errno));
  return code == 0 ? halfopen::cli::cannot_run_here : code;
}

}  // namespace

int main(int argc, char** argv) {
  if (halfopen::clock::is_guest_init(argc, argv)) halfopen::clock::run_guest_init(argv[2]);
  try {
    return with_output_written(run(argc, argv));
  } catch (const halfopen::lab::interrupted&) {
    return 130;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "halfopen: %s\n", e.what());
    return halfopen::cli::cannot_run_here;
  }
}
