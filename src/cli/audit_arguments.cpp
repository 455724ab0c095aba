#include "cli/audit_arguments.hpp"

#include <cmath>
#include <cstdlib>

#include "cli/usage_error.hpp"

namespace halfopen::cli {

void add_whose(CLI::App& verb, whose_arguments& w) {
  verb.add_option(
          "PROCESS", w.processes,
          "a PID, or a name as `ps -eo comm` shows it; several are read as either. Without one: every "
          "process of this user, as root of the machine")
      ->type_name("PID|NAME");
  verb.add_option("--port", w.ports, "only connections with that port at either end; may be repeated")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535).description(""))
      ->allow_extra_args(false);
  verb.add_option(
          "--container", w.container,
          "only processes of that container: the beginning of its id, or its name where control groups "
          "show it (LXC, systemd-nspawn)")
      ->type_name("ID");
  verb.add_option(
          "--netns", w.network,
          "only that network namespace: a name of `ip netns`, a PID or a path; all: also those that no "
          "process is in")
      ->type_name("NAME|PID|PATH|all");
}

audit::scope scope_of(const whose_arguments& w) {
  audit::scope s;
  for (const std::string& p : w.processes) {
    if (p.empty()) throw usage_error("an empty name is no process");
    if (p.find_first_not_of("0123456789") != std::string::npos)
      s.names.push_back(p.substr(0, 15));  // TASK_COMM_LEN: the kernel keeps no more of it
    else if (p.size() <= 9)
      s.pids.push_back(std::atoi(p.c_str()));
    else
      throw usage_error("'" + p + "' is no PID");
  }
  s.ports = w.ports;
  s.container = w.container;
  s.network = w.network;
  return s;
}

milliseconds duration_of(const std::string& option, const std::string& text) {
  char* unit = nullptr;
  const double number = std::strtod(text.c_str(), &unit);
  const std::string_view u(unit);
  double factor = 0;
  if (u == "ms") factor = 1;
  if (u == "s" || u.empty()) factor = 1e3;
  if (u == "m" || u == "min") factor = 60e3;
  if (u == "h") factor = 3600e3;
  const double ms = number * factor;
  if (unit == text.c_str() || !std::isfinite(ms) || ms < 1 || ms > 1e12)
    throw usage_error(option + " '" + text + "' is no time such as 30s, 500ms, 2m or 1h");
  return milliseconds(static_cast<std::int64_t>(ms));
}

}  // namespace halfopen::cli
