// `halfopen audit`: which of this machine's connections would hang, and which are broken already. What is
// true of a connection is said by src/audit; here stand the command line and the exit code.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audit/capture.hpp"
#include "audit/report.hpp"
#include "cli/audit_arguments.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"

namespace halfopen::cli {
namespace {

struct audit_arguments {
  whose_arguments whose;
  std::string within, long_ago, capture_for, capture_to = "halfopen-audit.pcapng";
  bool json = false;
  bool no_cures = false;
  std::size_t top = 20;
};

int code_of(audit::within w) {
  if (w == audit::within::yes) return all_met;
  return w == audit::within::no ? not_met : cannot_run_here;
}

void say_within(audit::within w, milliseconds limit) {
  if (w == audit::within::no)
    fmt::print("Not all would notice a vanished peer within {}.\n", audit::in_words(limit));
  if (w == audit::within::not_known)
    fmt::print("Whether all would notice a vanished peer within {} is not known: see what was not seen.\n",
               audit::in_words(limit));
  if (w == audit::within::yes)
    fmt::print("All would notice a vanished peer within {}.\n", audit::in_words(limit));
}

/// The words go to where they do not stand between lines of JSON.
void capture_suspects(const audit_arguments& a, const audit::snapshot& seen,
                      std::span<const audit::group> groups, std::optional<milliseconds> limit,
                      milliseconds length) {
  const auto suspects = audit::suspects_of(seen, groups, limit);
  if (suspects.empty()) {
    fmt::print(stderr,
               "halfopen audit: no connection is suspect, so none is captured; --within makes those suspect "
               "that would not notice\n");
    return;
  }
  std::fflush(stdout);
  fmt::print(stderr, "halfopen audit: captures {} connections for {}\n", suspects.size(),
             audit::in_words(length));
  const auto written = audit::capture(seen, suspects, length, a.capture_to);
  if (!written) throw usage_error(written.error());
  fmt::print(stderr, "halfopen audit: {} packets in {}; next: halfopen autopsy {}\n", *written, a.capture_to,
             a.capture_to);
}

int run(const audit_arguments& a) {
  const audit::scope whose = scope_of(a.whose);
  std::optional<milliseconds> limit;
  if (!a.within.empty()) limit = duration_of("--within", a.within);
  std::optional<milliseconds> capture_for;
  if (!a.capture_for.empty()) capture_for = duration_of("--pcap", a.capture_for);
  audit::patience patience;
  if (!a.long_ago.empty()) patience = audit::patience::of(duration_of("--long", a.long_ago));
  const auto seen = audit::look(whose);
  if (!seen) throw usage_error(seen.error());
  const auto groups = audit::groups_of(*seen, patience);
  audit::report_options how{.top = a.top, .cures = !a.no_cures};
  if (limit) how.within = *limit;
  if (a.json)
    audit::each_json_line(*seen, groups, limit, [](const std::string& line) { fmt::print("{}\n", line); });
  else
    fmt::print("{}", audit::table_of(*seen, groups, how, report::canvas::of(STDOUT_FILENO)));
  if (capture_for) capture_suspects(a, *seen, groups, limit, *capture_for);
  if (!limit) return all_met;
  const audit::within w = audit::all_notice_within(*seen, *limit);
  if (!a.json) say_within(w, *limit);
  return code_of(w);
}

}  // namespace

void add_audit(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand(
      "audit",
      "Which of this machine's connections would hang if their peers vanished, and which are broken");
  const auto a = std::make_shared<audit_arguments>();
  add_whose(verb, a->whose);
  verb.add_option("--within", a->within,
                  "exit 1 if a connection to another host would not notice a vanished peer within that time, "
                  "idle or with data in flight; 3 if that cannot be known")
      ->type_name("TIME");
  verb.add_option(
          "--long", a->long_ago,
          "what counts as long: CLOSE_WAIT (60s else), a closed window (10s), a connection that waits to "
          "be accepted (5s), FIN_WAIT2 without a program (10s)")
      ->type_name("TIME");
  verb.add_option(
          "--pcap", a->capture_for,
          "then capture for that time the packets of just the connections of which something is wrong (with "
          "--within also of those that would not notice), for halfopen autopsy; needs CAP_NET_RAW")
      ->type_name("TIME");
  verb.add_option("--write", a->capture_to, "the capture's file")->type_name("FILE")->capture_default_str();
  verb.add_flag("--json", a->json, "a line of JSON a connection, and one for all");
  verb.add_option("--top", a->top, "lines of the table, the worst; 0 for all")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  verb.add_flag("--no-cures", a->no_cures, "the table alone, without what to change");
  verb.footer(
      "Nothing is sent, and no process is stopped. What cannot be read is \"not known\".\n\n"
      "Exit codes: 0 done (with --within: all would notice), 1 one would not, 2 bad arguments, 3 not "
      "known.\n\n"
      "Examples:\n"
      "  halfopen audit\n"
      "  sudo halfopen audit\n"
      "  halfopen audit gunicorn --port 5432\n"
      "  halfopen audit 4711 --within 30s\n"
      "  sudo halfopen audit --pcap 60s --write suspects.pcapng\n"
      "  sudo halfopen audit --container 3f2a --json | jq 'select(.wrong != [])'");
  verb.callback([a, &exit_code] { exit_code = with_usage_told("audit", [&] { return run(*a); }); });
}

}  // namespace halfopen::cli
