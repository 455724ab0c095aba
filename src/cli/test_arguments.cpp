// What the command line of `halfopen test` may say, and what is to be judged by it.

#include "cli/test_arguments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "cli/settings_file.hpp"
#include "cli/system_file.hpp"
#include "cli/usage_error.hpp"
#include "judge/text_report.hpp"

namespace halfopen::cli {
namespace {

bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string folder;
  for (std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
       std::getline(folders, folder, ':');)
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

judge::milliseconds of_seconds(double s) {
  return judge::milliseconds(static_cast<std::int64_t>(s * 1000));
}

}  // namespace

judge::pair pair_of(const test_arguments& a) {
  if (a.terminal && !is_in_path("script"))
    throw usage_error("--terminal: the program script is not there, which gives a terminal (bsdutils)");
  judge::pair p;
  p.server_command = a.server;
  p.client_command = a.client;
  p.environment = a.environment;
  for (const std::string& e : p.environment)
    if (e.find('=') == std::string::npos || e.front() == '=')
      throw usage_error("--env " + e + ": expected NAME=VALUE");
  if (a.port != 0) p.port = a.port;
  try {
    (void)std::regex(a.ready);
  } catch (const std::regex_error& e) {
    throw usage_error("--ready " + a.ready + ": " + e.what());
  }
  p.ready = a.ready;
  p.limit = judge::milliseconds(static_cast<std::int64_t>(a.limit * 1000));
  p.grace = judge::milliseconds(static_cast<std::int64_t>(a.grace * 1000));
  p.clean_limit = judge::milliseconds(static_cast<std::int64_t>(a.clean_limit * 1000));
  p.brief = a.brief;
  p.disk_lost = a.disk == "lost";
  p.once = a.once;
  p.terminal = a.terminal;
  if (a.peer != "auto") p.peer = a.peer == "program" ? judge::player::program : judge::player::recording;
  p.without_fault = a.without_fault;
  p.ip = a.ip == "6" ? lab::ip_version::v6 : lab::ip_version::v4;
  return p;
}

std::optional<judge::system> system_of(const test_arguments& a) {
  std::optional<judge::system> made = a.from_file;
  if (!a.system.empty()) {
    std::ifstream file(a.system);
    made = nlohmann::json::parse(file).get<judge::system>();
    made->virtual_clock = a.full_length;
    made->first_look = judge::milliseconds(0);  // there nobody waits
    return made;
  }
  if (!a.service.empty() || !a.probe.empty()) {
    if (a.server.empty() || a.service.empty() || a.probe.empty() || !a.client.empty())
      throw usage_error(
          "a service is judged with --server, --service and --probe: a dependency, the service that needs "
          "it, "
          "and a command that asks the service; and without --client");
    made.emplace();
    made->hosts.push_back({.name = "server", .command = a.server, .ready = a.ready});
    if (a.port != 0) made->hosts.front().port = a.port;
    made->hosts.push_back({.name = "service", .command = a.service, .needs = {"server"}});
    made->ask = {a.probe, a.health, a.other};
  }
  if (!made) return std::nullopt;
  made->environment = a.environment;
  made->limit = of_seconds(a.limit);
  made->recover = of_seconds(a.recover);
  made->clean_limit = of_seconds(a.clean_limit);
  made->disk_lost = a.disk == "lost";
  made->without_fault = a.without_fault;
  made->ip = a.ip == "6" ? lab::ip_version::v6 : lab::ip_version::v4;
  if (const auto problem = problem_of(*made)) throw usage_error(*problem);
  return made;
}

std::string name_of(const test_arguments& a, const std::optional<judge::system>& parts) {
  if (!a.name.empty()) return a.name;
  if (!parts) return a.server + " / " + a.client;
  std::string names;
  for (const judge::system_host& h : parts->hosts) names += (names.empty() ? "" : " / ") + h.name;
  return names;
}

std::string judgement_name_in(const std::string& settings) {
  CLI::App verb("", "test");
  test_arguments a;
  add_options(verb, a);
  try {
    read_settings(verb, settings, settings, system_tables());
    a.from_file = read_system(settings);
  } catch (const settings_error& e) {
    throw usage_error(e.what());
  }
  return name_of(a, system_of(a));
}

void add_options(CLI::App& verb, test_arguments& a) {
  verb.add_option("--server", a.server, "the server's command, for /bin/sh; it stays in the foreground")
      ->type_name("COMMAND");
  verb.add_option("--client", a.client, "the client's command; the server's host is named 'server'")
      ->type_name("COMMAND");
  verb.add_option(
          "--service", a.service,
          "instead of a client: the command of a service that depends on the server; its host is named "
          "'service'")
      ->type_name("COMMAND");
  verb.add_option("--probe", a.probe, "a command that asks the service; exit 0: served")
      ->type_name("COMMAND");
  verb.add_option("--health", a.health,
                  "one that asks its health endpoint: must not say yes while the probe fails")
      ->type_name("COMMAND");
  verb.add_option("--other", a.other, "one that asks for what needs no dependency: must go on being served")
      ->type_name("COMMAND");
  verb.add_option("--recover", a.recover,
                  "within this a service shall serve again once its dependency is back")
      ->check(within(0.5, 3600.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option("--name", a.name, "the pair's or system's name in reports")->type_name("NAME");
  verb.add_option("--subject", a.subject, "who is judged")
      ->check(CLI::IsMember({"server", "client", "both"}).description(""))
      ->type_name("server|client|both")
      ->capture_default_str();
  verb.add_option("--case", a.cases, "only these: ids (exit/6), families (crash), patterns ('crash/*')")
      ->type_name("CASE...");
  verb.add_option("--skip", a.skip, "all but these")->type_name("CASE...");
  verb.add_flag(
          "--torture{packets}", a.torture,
          "instead of the catalogue: lose the peer at every packet of a clean run; =bytes: and at every "
          "byte of the reply. Of a service: its dependency is lost, comes back, and is lost again at every "
          "packet of the reconnection")
      ->check(CLI::IsMember({"packets", "bytes"}).description(""))
      ->type_name("[=packets|bytes]");
  verb.add_option("--replay", a.replay,
                  "one place of a torture again: kill-server@7, cut-server@b12, of a service kill-again@7")
      ->type_name("PLACE...");
  verb.add_option("--sample", a.sample, "of a torture's places only N, by chance; --seed says which chance")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
  verb.add_option("--limit", a.limit, "within this a program shall know that its peer is gone")
      ->check(within(1.0, 3600.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option("--grace", a.grace, "within this a server shall end after SIGTERM")
      ->check(within(0.5, 600.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option("--clean-limit", a.clean_limit, "within this the client shall end when nothing is wrong")
      ->check(within(1.0, 3600.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option(
          "--request", a.request,
          "cases that fall on a request fall on the N-th, or on each; default: on the last whose reply the "
          "client waits for, and on the first")
      ->type_name("N|all");
  verb.add_option("--connection", a.connection,
                  "of a client with several connections: cases fall on the N-th that it opens, or on each; "
                  "default: on "
                  "that on which most is said")
      ->type_name("N|all");
  verb.add_option(
          "--peer", a.peer,
          "who plays the peer of the judged program: the recording of what it said, the real program that is "
          "stopped at a byte, or auto: the recording where it works")
      ->check(CLI::IsMember({"auto", "recording", "program"}).description(""))
      ->type_name("auto|recording|program")
      ->capture_default_str();
  verb.add_flag(
      "--terminal", a.terminal,
      "the client has a terminal (by script(1)): both its outputs are one, and it may ask or colour");
  verb.add_flag("--once", a.once, "what the client asks may be done once only: to ask twice is a failure");
  verb.add_option("--disk", a.disk, "what a host that reboots has left of its files (HALFOPEN_DIR)")
      ->check(CLI::IsMember({"kept", "lost"}).description(""))
      ->type_name("kept|lost")
      ->capture_default_str();
  verb.add_option(
          "--clock", a.clock,
          "real: how long a hang lasts is computed; virtual: it is measured in full, in no time; auto: the "
          "real one, and what rests on time is played again under the virtual one, if its kernel is there "
          "(halfopen clock build)")
      ->check(CLI::IsMember({"auto", "real", "virtual", "virtual-plain"}).description(""))
      ->type_name("auto|real|virtual|virtual-plain")
      ->capture_default_str();
  verb.add_option("--ip", a.ip, "IP version")
      ->check(CLI::IsMember({"4", "6"}).description(""))
      ->type_name("4|6")
      ->capture_default_str();
  verb.add_option("--jobs", a.jobs, "cases side by side; most of their time is waiting")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->default_str("as many as the machine takes");
  verb.add_option("--shard", a.shard, "only the I-th of N parts of the cases")->type_name("I/N");
  verb.add_option("--costs", a.costs,
                  "reports of earlier runs (--json): the shards cost about the same by them, and not only "
                  "have as many cases")
      ->type_name("FILE...");
  verb.add_flag("--dry-run", a.dry_run, "list the cases, and do nothing");
  verb.add_flag("--strict", a.strict, "a warning counts as a failure");
  verb.add_flag("--verbose", a.verbose,
                fmt::format("a line a case, however many; else a line a family of more than {} cases",
                            judge::few_cases));
  verb.add_option("--server-port", a.port, "the port that the server opens last; default: any")
      ->type_name("PORT");
  verb.add_option("--ready", a.ready, "the server is ready when its output matches")->type_name("REGEX");
  verb.add_option("--env", a.environment, "environment of both programs")->type_name("NAME=VALUE...");
  verb.add_option("--evidence", a.evidence, "folder for a folder a case: packets, outputs, story")
      ->type_name("DIR");
  a.reports.add_options(verb);
  add_guest_options(verb, a.guest);
  // What a guest's judge is told by the one outside; in no help.
  verb.add_flag("--full-length", a.full_length)->group("");
  verb.add_flag("--events", a.events)->group("");
  verb.add_flag("--rehearse", a.rehearse)->group("");
  verb.add_flag("--brief", a.brief)->group("");
  verb.add_option("--baseline", a.baseline)->group("");
  verb.add_option("--system", a.system)->group("");
  verb.add_flag("--without-fault", a.without_fault)->group("");  // for tests of the cases
  verb.add_option("--settings", a.settings, "read options from there; default: halfopen.toml, if it is there")
      ->type_name("FILE");
}

}  // namespace halfopen::cli
