#ifndef HALFOPEN_SRC_JUDGE_DIAGNOSIS_HPP
#define HALFOPEN_SRC_JUDGE_DIAGNOSIS_HPP

/// \file
/// Why two programs do not work together with nothing wrong: what was seen of them, and from that
/// one problem with a name and a remedy. Pure functions: nothing here looks at a process.

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/process.hpp"

namespace halfopen::judge {

enum class baseline_problem : std::uint8_t {
  command_not_found,      ///< the shell's exit status 127
  not_executable,         ///< 126
  server_ended,           ///< before it listened, or once a client had come
  goes_to_background,     ///< its command ended, and a child of it listens
  listens_on_loopback,    ///< on 127.0.0.0/8 or ::1 alone: no other host can reach it
  serves_udp_only,        ///< it has UDP sockets, and no TCP listener
  listens_elsewhere,      ///< on other ports than --server-port says
  does_not_listen,        ///< on nothing at all
  never_says_ready,       ///< what --ready waits for did not come
  needs_ready,            ///< the client failed at once, and did well a moment later
  client_was_refused,     ///< it goes to a port on which nobody listens
  client_goes_elsewhere,  ///< to an address at which there is no host
  client_never_connected,
  client_never_ends,
  client_failed,
  client_was_killed,  ///< by a signal
};
/// "listens_on_loopback". Never empty.
[[nodiscard]] std::string_view to_string(baseline_problem p) noexcept;
[[nodiscard]] std::optional<baseline_problem> parse_baseline_problem(std::string_view name) noexcept;

/// The pair does not work with nothing wrong, so nothing can be said of it with a fault.
struct no_baseline : std::runtime_error {
  baseline_problem problem;
  std::string hint;                                            ///< what its user can do
  std::string server_name = "server", client_name = "client";  ///< as the programs are called
  std::string server_output, server_errors, output, errors;    ///< their own words
  no_baseline(baseline_problem p, const std::string& what, std::string remedy)
      : std::runtime_error(what), problem(p), hint(std::move(remedy)) {}
};

[[nodiscard]] nlohmann::json json_of(const no_baseline& e);
[[nodiscard]] no_baseline no_baseline_of(const nlohmann::json& j);

/// A socket to which somebody could come.
struct open_port {
  std::uint16_t port = 0;
  bool udp = false;
  bool loopback = false;  ///< bound to an address of the host's own loopback alone
  friend bool operator==(const open_port&, const open_port&) = default;
};

/// What was seen of a server that was started.
struct server_start {
  std::optional<lab::exit_status> ended;  ///< the command
  bool others_live = false;               ///< a process of its host is left although the command ended
  std::vector<open_port> ports;
  std::optional<std::uint16_t> wanted;  ///< --server-port
  std::chrono::milliseconds waited{};
};

/// What keeps it from being a server that is up; nothing if it listens where it shall and lives.
[[nodiscard]] std::optional<no_baseline> problem_of(const server_start& seen);

/// One attempt of the client to open a connection.
struct attempt {
  std::uint16_t port = 0;
  bool to_server = false;  ///< to the server's host; else to an address that is nobody's
  enum class outcome : std::uint8_t { connected, refused, unanswered } came{};
};

/// What was seen of a client that was run with nothing wrong.
struct client_run {
  std::optional<lab::exit_status> ended;
  std::chrono::milliseconds waited{};
  bool stands_still = false;  ///< every thread of both hosts waits without a limit
  std::vector<attempt> attempts;
  std::vector<open_port> server_ports;
  std::optional<lab::exit_status> server_ended;  ///< its command, which had listened
  bool well_later = false;                       ///< the same command did well on a second try
  std::string errors;
};

/// Nothing if it ended with exit 0 and had a connection to the server.
[[nodiscard]] std::optional<no_baseline> problem_of(const client_run& seen);

/// The first line of an output that reads like an error though the command ended with exit 0, such
/// as redis-cli's "NOAUTH Authentication required."; empty if it does not.
[[nodiscard]] std::string error_in_usual_output(std::string_view output);

/// The command's last part reads from a pipe, so that the exit status of what stands before it is lost
/// (sh(1): a pipeline's status is its last command's).
[[nodiscard]] bool hides_exit_status(std::string_view command);

}  // namespace halfopen::judge

#endif
