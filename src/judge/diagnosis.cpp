#include "judge/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <regex>

#include "judge/decide/client.hpp"
#include "play/words.hpp"

namespace halfopen::judge {
namespace {

using play::in_words;
using play::signal_name;

using problem = baseline_problem;

constexpr std::array<std::string_view, 16> problem_names{
    "command_not_found",      "not_executable",    "server_ended",       "goes_to_background",
    "listens_on_loopback",    "serves_udp_only",   "listens_elsewhere",  "does_not_listen",
    "never_says_ready",       "needs_ready",       "client_was_refused", "client_goes_elsewhere",
    "client_never_connected", "client_never_ends", "client_failed",      "client_was_killed"};

/// Exit statuses of a shell that could not run a command (POSIX.1-2017, Shell Command Language 2.8.2).
constexpr int not_found = 127;
constexpr int not_executable = 126;

std::string joined(const std::vector<std::uint16_t>& ports) {
  std::string text;
  for (const std::uint16_t p : ports) text += (text.empty() ? "" : ", ") + std::to_string(p);
  return (ports.size() == 1 ? "port " : "ports ") + text;
}

template <class Which>
std::vector<std::uint16_t> chosen(const std::vector<open_port>& all, Which which) {
  std::vector<std::uint16_t> ports;
  for (const open_port& p : all)
    if (which(p) && std::ranges::find(ports, p.port) == ports.end()) ports.push_back(p.port);
  return ports;
}

bool for_others(const open_port& p) {
  return !p.udp && !p.loopback;
}

std::optional<no_baseline> shell_problem(std::string_view whose, const lab::exit_status& end) {
  if (end.signal != 0) return std::nullopt;
  if (end.code == not_found)
    return no_baseline(
        problem::command_not_found, fmt::format("the {}'s command was not found (exit 127)", whose),
        "check its spelling and PATH; commands run in /bin/sh with this machine's files, in the "
        "folder from which halfopen was started");
  if (end.code == not_executable)
    return no_baseline(problem::not_executable,
                       fmt::format("the {}'s command cannot be executed (exit 126)", whose),
                       "make the file executable (chmod +x), or name its interpreter in the command");
  return std::nullopt;
}

std::string end_in_words(const lab::exit_status& end) {
  const int signal = deadly_signal(end);
  return signal != 0 ? "was killed by " + signal_name(signal) : fmt::format("ended with exit {}", end.code);
}

no_baseline ended(const server_start& seen) {
  const auto listening = chosen(seen.ports, [](const open_port& p) { return !p.udp; });
  if (auto shell = shell_problem("server", *seen.ended); shell && listening.empty()) return *shell;
  if (!listening.empty() || (seen.others_live && seen.ended->code == 0 && seen.ended->signal == 0))
    return {
        problem::goes_to_background,
        listening.empty()
            ? "the server goes to the background: its command has ended, and what it started lives on"
            : fmt::format("the server goes to the background: its command has ended, and what it started "
                          "listens on {}",
                          joined(listening)),
        "it must stay in the foreground, or its end cannot be told from its start: look for an option such "
        "as --no-daemon, --foreground, 'daemon off;' (nginx), -D (sshd), and no '&' in the command"};
  return {problem::server_ended, "the server " + end_in_words(*seen.ended) + " before it listened",
          "a server must run until it is told to stop; its own output below may say why it did not"};
}

/// Attempts that came to nothing, the ports of the server's host among them.
std::vector<std::uint16_t> refused_ports(const std::vector<attempt>& all) {
  std::vector<std::uint16_t> ports;
  for (const attempt& a : all)
    if (a.to_server && a.came == attempt::outcome::refused && std::ranges::find(ports, a.port) == ports.end())
      ports.push_back(a.port);
  return ports;
}

bool connected(const client_run& seen) {
  return std::ranges::any_of(seen.attempts,
                             [](const attempt& a) { return a.came == attempt::outcome::connected; });
}

std::string where_it_listens(const client_run& seen) {
  const auto ports = chosen(seen.server_ports, for_others);
  return ports.empty() ? "the server listens on no port" : "the server listens on " + joined(ports);
}

/// A server that does not outlive its clients; nothing if it lives.
std::optional<no_baseline> server_gone(const client_run& seen) {
  if (!seen.server_ended) return std::nullopt;
  return no_baseline(
      problem::server_ended,
      "the server " + end_in_words(*seen.server_ended) + " once a client had come, with nothing wrong",
      "it must serve one client after another until it is told to stop (nc -l does so with -k); "
      "its own output below may say why it did not");
}

/// Why no connection came about, if the attempts tell; nothing if one did, or there was none.
std::optional<no_baseline> no_connection(const client_run& seen) {
  if (connected(seen)) return std::nullopt;
  if (const auto ports = refused_ports(seen.attempts); !ports.empty())
    return no_baseline(problem::client_was_refused,
                       fmt::format("the client goes to {} of the server, where nobody listens; {}",
                                   joined(ports), where_it_listens(seen)),
                       "let both commands name the same port");
  const auto elsewhere = std::ranges::find_if(
      seen.attempts, [](const attempt& a) { return !a.to_server && a.came == attempt::outcome::unanswered; });
  if (elsewhere == seen.attempts.end()) return std::nullopt;
  return no_baseline(
      problem::client_goes_elsewhere,
      fmt::format("the client goes to port {} of an address at which there is no host", elsewhere->port),
      "the server's host is named 'server', and there is no other network: let the client connect "
      "to that name");
}

/// Why the client could not do well, whatever it made of it.
std::optional<no_baseline> what_it_met(const client_run& seen) {
  if (auto gone = server_gone(seen)) return gone;
  return no_connection(seen);
}

}  // namespace

std::string_view to_string(problem p) noexcept {
  return problem_names.at(static_cast<std::size_t>(p));
}

std::optional<problem> parse_baseline_problem(std::string_view name) noexcept {
  const auto* found = std::ranges::find(problem_names, name);
  if (found == problem_names.end()) return std::nullopt;
  return static_cast<problem>(found - problem_names.begin());
}

std::optional<no_baseline> problem_of(const server_start& seen) {
  if (seen.ended) return ended(seen);
  const auto reachable = chosen(seen.ports, for_others);
  if (seen.wanted ? std::ranges::count(reachable, *seen.wanted) > 0 : !reachable.empty()) return std::nullopt;
  const auto inside = chosen(seen.ports, [](const open_port& p) { return !p.udp && p.loopback; });
  const bool wanted_inside = seen.wanted && std::ranges::count(inside, *seen.wanted) > 0;
  if (!inside.empty() && (wanted_inside || reachable.empty()))
    return no_baseline(
        problem::listens_on_loopback,
        fmt::format("the server listens on {} of its own loopback address alone (127.0.0.1 or ::1): "
                    "the client, on another host, cannot reach it",
                    joined(inside)),
        "let it listen on all addresses: 0.0.0.0, '*' or ::, often an option such as --host, --bind "
        "or listen_addresses");
  if (!reachable.empty())
    return no_baseline(problem::listens_elsewhere,
                       fmt::format("the server listens on {}, not on port {}, which --server-port names",
                                   joined(reachable), *seen.wanted),
                       "correct --server-port, or leave it out");
  if (const auto udp = chosen(seen.ports, [](const open_port& p) { return p.udp; }); !udp.empty())
    return no_baseline(
        problem::serves_udp_only,
        fmt::format("the server has UDP {} open, and no TCP port after {}", joined(udp),
                    in_words(seen.waited)),
        "only TCP is judged: name the command that serves TCP, or the option that makes it do so");
  return no_baseline(problem::does_not_listen,
                     fmt::format("the server does not listen on {} after {}",
                                 seen.wanted ? "port " + std::to_string(*seen.wanted) : "any TCP port",
                                 in_words(seen.waited)),
                     "its own output below may say why; a Unix socket does not count");
}

std::optional<no_baseline> problem_of(const client_run& seen) {
  if (!seen.ended) {
    if (auto met = what_it_met(seen)) return met;
    return no_baseline(
        problem::client_never_ends,
        seen.stands_still
            ? fmt::format("the client does not end: after {} both programs wait for each other "
                          "without a limit, with nothing wrong",
                          in_words(seen.waited))
            : fmt::format("the client has not ended after {}, with nothing wrong", in_words(seen.waited)),
        "it must be a command that does its work once and ends, such as one request; if it only "
        "needs longer, say --clean-limit SECONDS");
  }
  const lab::exit_status& end = *seen.ended;
  if (end.signal == 0 && end.code == 0) {
    if (connected(seen)) return std::nullopt;
    if (auto met = what_it_met(seen)) return met;
    return no_baseline(
        problem::client_never_connected,
        "the client ended well, but never opened a TCP connection to the server",
        "the server's host is named 'server', and there is no other network: let the client connect "
        "to that name");
  }
  if (seen.attempts.empty())
    if (auto shell = shell_problem("client", end)) return shell;
  if (seen.well_later)
    return no_baseline(
        problem::needs_ready,
        "the client failed right after the server had begun to listen, and did well a moment later",
        "the server listens before it is ready: say --ready REGEX with a line that it prints when "
        "it is");
  if (auto met = what_it_met(seen)) return met;
  const int signal = deadly_signal(end);
  if (signal != 0)
    return no_baseline(problem::client_was_killed,
                       "the client was killed by " + signal_name(signal) + ", with nothing wrong",
                       "its own output below may say why; try the two without halfopen");
  return no_baseline(
      problem::client_failed, fmt::format("the client failed with exit {}, with nothing wrong", end.code),
      "its own output below may say why: a wrong password, an untrusted certificate, a missing "
      "database, a name other than 'server'");
}

std::string error_in_usual_output(std::string_view output) {
  const auto begin = output.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  output.remove_prefix(begin);
  std::string line(output.substr(0, std::min<std::size_t>(output.find('\n'), 160)));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  // What protocols and programs begin an error with: RESP's error replies (the Redis protocol), HTTP's
  // status line of 400 and more (RFC 9112 section 4), and the words that programs use.
  static const std::regex like_an_error(
      R"(^(\(error\)|-?(ERR|NOAUTH|NOPERM|WRONGPASS|WRONGTYPE|DENIED|MISCONF|LOADING|MOVED|CLUSTERDOWN)\b|HTTP/[0-9.]+ [45][0-9][0-9]\b|Traceback \(most|([A-Za-z_.-]+: )?(error|fatal|panic|exception|failed|access denied|permission denied|authentication failed)\b))",
      std::regex::icase);
  return std::regex_search(line, like_an_error) ? line : std::string();
}

bool hides_exit_status(std::string_view command) {
  if (command.contains("pipefail")) return false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '\\') {
      ++i;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '|') {
      const bool is_or = i + 1 < command.size() && command[i + 1] == '|';
      if (!is_or) return true;
      ++i;
    }
  }
  return false;
}

nlohmann::json json_of(const no_baseline& e) {
  return {{"failed", e.what()},
          {"problem", to_string(e.problem)},
          {"hint", e.hint},
          {"server_name", e.server_name},
          {"client_name", e.client_name},
          {"server_out", e.server_output},
          {"server_err", e.server_errors},
          {"out", e.output},
          {"err", e.errors}};
}

no_baseline no_baseline_of(const nlohmann::json& j) {
  const auto kind = parse_baseline_problem(j.at("problem").get<std::string>());
  no_baseline e(kind.value_or(problem::client_failed), j.at("failed").get<std::string>(),
                j.at("hint").get<std::string>());
  j.at("server_name").get_to(e.server_name);
  j.at("client_name").get_to(e.client_name);
  j.at("server_out").get_to(e.server_output);
  j.at("server_err").get_to(e.server_errors);
  j.at("out").get_to(e.output);
  j.at("err").get_to(e.errors);
  return e;
}

}  // namespace halfopen::judge
