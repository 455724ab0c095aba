#include <cstdio>
#include <memory>

#include "cli/verbs.hpp"
#include "pair/pair.hpp"

namespace halfopen::cli {

void add_bytes(CLI::App& app, int& exit_code) {
  struct numbers {
    long a = 0, b = 0;
  };
  // In no help of halfopen's: `lab format --explain` asks the programs of all machines.
  CLI::App& verb = *app.add_subcommand("bytes", "What a request for a sum looks like on this machine");
  verb.group(app.get_name() == "halfopen" ? "" : "Subcommands");
  const auto n = std::make_shared<numbers>();
  verb.add_option("a", n->a, "the first number")->required();
  verb.add_option("b", n->b, "the second")->required();
  verb.footer("Example:\n  halfopen bytes -- -22 -77");
  verb.callback([n, &exit_code] {
    const std::string text = pair::bytes_here(n->a, n->b);
    exit_code = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? all_met : not_met;
  });
}

}  // namespace halfopen::cli
