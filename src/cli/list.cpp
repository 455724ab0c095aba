#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "cli/verbs.hpp"
#include "judge/case.hpp"
#include "report/table.hpp"
#include "situation/catalogue.hpp"

namespace halfopen::cli {
namespace {

void head(const std::string& text) {
  fmt::print("{}\n\n", report::canvas::of(STDOUT_FILENO).tinted(text, report::colour::bold));
}

void list_lab() {
  std::size_t count = 0;
  for (const situation::situation* s : situation::all_situations()) count += s->variants.size();
  head(fmt::format("halfopen lab: {} variants of {} situations, for the built-in pairs", count,
                   situation::all_situations().size()));
  int number = 0;
  for (const situation::situation* s : situation::all_situations()) {
    fmt::print("{}. {}\n", ++number, s->title);
    for (const situation::variant& v : s->variants)
      fmt::print("   {:<26}{}\n", std::string(s->name) + "/" + std::string(v.name), v.done);
  }
}

void list_test() {
  head(
      fmt::format("halfopen test: {} cases for any server and client, {} outages for a service that depends "
                  "on others; who "
                  "is judged, and what is done",
                  judge::all_cases().size(), judge::all_outages().size()));
  for (const judge::family* f : judge::catalogue()) {
    fmt::print("{}: {}\n", f->name, f->title);
    for (const judge::judge_case& c : f->cases)
      fmt::print("   {:<12}{:<8}{}\n", c.id, judge::to_string(c.subject), c.done);
  }
}

}  // namespace

void add_list(CLI::App& app, int& exit_code) {
  CLI::App& verb =
      *app.add_subcommand("list", "What can be played: the lab's variants, and the judge's cases");
  const auto which = std::make_shared<std::string>();
  verb.add_option("WHICH", *which,
                  "lab: the situations and their variants; test: the cases; both if none is named")
      ->check(CLI::IsMember({"lab", "test"}).description(""))
      ->type_name("lab|test");
  verb.footer(
      "Examples:\n"
      "  halfopen list\n"
      "  halfopen list test\n"
      "  halfopen lab crash/idle exit\n"
      "  halfopen test --server ... --client ... --case crash/7 exit\n"
      "  halfopen explain crash/7");
  verb.callback([which, &exit_code] {
    if (*which != "test") list_lab();
    if (which->empty()) fmt::print("\n");
    if (*which != "lab") list_test();
    exit_code = all_met;
  });
}

}  // namespace halfopen::cli
