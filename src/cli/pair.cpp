// halfopen-pair: the built-in pair as a program of its own, which is all that another machine
// needs to play in this one's lab. Its verbs are those of halfopen, from the same sources.

#include <cstdio>
#include <exception>

#include "cli/verbs.hpp"

int main(int argc, char** argv) {
  int exit_code = 0;
  CLI::App app("halfopen's built-in clients and servers, without the lab", "halfopen-pair");
  app.require_subcommand(1);
  halfopen::cli::add_serve(app, exit_code);
  halfopen::cli::add_call(app, exit_code);
  halfopen::cli::add_bytes(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : halfopen::cli::bad_arguments;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "halfopen-pair: %s\n", e.what());
    return halfopen::cli::cannot_run_here;
  }
  return exit_code;
}
