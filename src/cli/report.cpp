#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "cli/judge_reports.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "judge/document.hpp"
#include "judge/text_report.hpp"
#include "report/table.hpp"

namespace halfopen::cli {
namespace {

struct merge_arguments {
  std::vector<std::string> files;
  judge_reports reports;
  bool strict = false;
};

int merge(const merge_arguments& a) {
  a.reports.check();
  const auto pairs = judge::merge(read_judgements(a.files));
  a.reports.write(pairs, a.strict);
  std::FILE* out = a.reports.for_people();
  int code = 0;
  for (const judge::judgement& p : pairs) {
    fmt::print(out, "{}: {}\n", p.name, judge::counts_in_words(p));
    int one = judge::exit_code_of(p.results, a.strict);
    const std::string missing = judge::missing_shards_in_words(p);
    if (!missing.empty() && p.shards.played.size() == 1) fmt::print(out, "{}: {}\n", p.name, missing);
    if ((p.interrupted || !missing.empty()) && one == 0)
      one = 4;  // nobody knows what the rest would have been
    if (one == 1 || code == 0) code = one;
  }
  return code;
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("report", "Works on the reports of halfopen test --json");
  verb.require_subcommand(1);
  CLI::App& merging = *verb.add_subcommand("merge", "Joins shards, and several pairs into one matrix");
  const auto arguments = std::make_shared<merge_arguments>();
  merging
      .add_option("files", arguments->files,
                  "files that halfopen test --json wrote; - for the standard input")
      ->required()
      ->type_name("FILE...");
  arguments->reports.add_options(merging);
  merging.add_flag("--strict", arguments->strict, "a warning counts as a failure");
  merging.footer(
      "The shards of one pair become one; a case that was played twice keeps its worse verdict.\n"
      "Exit codes: as of halfopen test, of the worst pair.\n\n"
      "Examples:\n"
      "  halfopen report merge shard-1.json shard-2.json --junit results.xml\n"
      "  halfopen report merge redis.json nginx.json --html scoreboard.html");
  merging.callback([arguments, &exit_code] {
    exit_code = with_usage_told("report merge", [&] { return merge(*arguments); });
  });
}

}  // namespace halfopen::cli
