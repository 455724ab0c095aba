#include <memory>

#include "cli/pair_options.hpp"
#include "cli/verbs.hpp"

namespace halfopen::cli {

void add_call(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("call", "One of the built-in clients, on its own");
  const auto options = std::make_shared<pair::call_options>();
  add_pair_options(verb, *options);
  verb.add_option("targets", options->targets,
                  "HOST, HOST:PORT or [V6]:PORT; each request goes to all of them")
      ->required()
      ->type_name("TARGET...");
  verb.add_option("--pipeline", options->pipeline, "requests sent before their replies are awaited")
      ->check(CLI::Range(1, 1000).description(""))
      ->capture_default_str();
  add_seconds(verb, "--timeout", options->timeout, "robust: from a request to its whole reply; 0: none");
  add_seconds(verb, "--connect-timeout", options->connect_timeout,
              "robust: for all addresses of a name; 0: none");
  verb.footer(
      "Reads requests from standard input, one a line; prints the replies.\n\n"
      "Examples:\n"
      "  echo hello | halfopen call echo localhost\n"
      "  echo 1 2 | halfopen call sum localhost:7100 --format binary\n"
      "  halfopen call echo host-a host-b host-c --notice-within 5");
  verb.callback([options, &exit_code] { exit_code = pair::call(*options); });
}

}  // namespace halfopen::cli
