#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "cli/verbs.hpp"
#include "situation/catalogue.hpp"

namespace halfopen::cli {

void add_list(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("list", "The situations and their variants, one line each");
  verb.footer("Example:\n  halfopen list\n  halfopen lab crash/idle exit");
  verb.callback([&exit_code] {
    int number = 0;
    for (const situation::situation* s : situation::all_situations()) {
      fmt::print("{}. {}\n", ++number, s->title);
      for (const situation::variant& v : s->variants)
        fmt::print("   {:<26}{}\n", std::string(s->name) + "/" + std::string(v.name), v.done);
    }
    exit_code = all_met;
  });
}

}  // namespace halfopen::cli
