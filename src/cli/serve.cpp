#include <memory>

#include "cli/pair_options.hpp"
#include "cli/verbs.hpp"

namespace halfopen::cli {

void add_serve(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("serve", "One of the built-in servers, on its own");
  const auto options = std::make_shared<pair::serve_options>();
  add_pair_options(verb, *options);
  verb.add_option("--listen", options->listen_address, "address or name; 0.0.0.0 or :: for all")
      ->type_name("ADDRESS")
      ->capture_default_str();
  verb.add_option("--port", options->port, "0: one that is free")->capture_default_str();
  add_seconds(verb, "--timeout", options->timeout,
              "robust: from a request's first byte to its last; 0: none");
  add_seconds(verb, "--grace", options->grace, "robust: from SIGTERM to the exit");
  verb.footer(
      "Prints \"listening on ADDRESS:PORT\" when it is ready.\n\n"
      "Examples:\n"
      "  halfopen serve echo\n"
      "  halfopen serve sum --format binary --port 7100\n"
      "  halfopen serve sum --pair naive --format raw --layout be64");
  verb.callback([options, &exit_code] { exit_code = pair::serve(*options); });
}

}  // namespace halfopen::cli
