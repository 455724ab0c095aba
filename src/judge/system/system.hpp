#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_SYSTEM_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_SYSTEM_HPP

/// \file
/// A system: hosts with a program each, the links between them, and a probe that asks. What the user named,
/// and how it is judged.

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "judge/decide/finding.hpp"

namespace halfopen::judge {

struct system_host {
  std::string name;
  std::string command;                     ///< for /bin/sh; stays in the foreground
  std::vector<std::string> needs{};        ///< hosts that are started, and ready, before it
  std::vector<std::string> environment{};  ///< "NAME=value"
  std::string root{};                      ///< folder of a root file system of its own; empty: this machine's
  std::optional<std::uint16_t> port{};     ///< where it listens, if the user says so; else any
  std::string ready{};   ///< regular expression in its output; empty: it listens, or needs not
  bool judged = true;    ///< of its links to what it needs; without needs there are none
  bool restart = false;  ///< if its command ends, somebody starts it again a second later
  bool serves = true;    ///< it listens on a port; a worker of a queue does not
};

/// One host's connections to another one that it needs.
struct link {
  std::string from, to;
  [[nodiscard]] std::string name() const { return from + "-" + to; }
  friend bool operator==(const link&, const link&) = default;
};

/// A command that asks the system, on a host of its own; exit 0 is "served".
struct probe_commands {
  std::string probe;
  std::string health;  ///< optional: must not say yes while the probe is not served
  std::string other;   ///< optional: needs no dependency, and must go on being served
};

struct system {
  std::vector<system_host> hosts;
  probe_commands ask;
  std::vector<std::string> environment;  ///< of every program
  milliseconds limit{20'000};            ///< within which an ask shall be served or refused
  milliseconds first_look{0};            ///< as pair::first_look
  milliseconds recover{10'000};          ///< within which it shall serve again once the dependency is back
  milliseconds clean_limit{60'000};      ///< within which a host is ready, and a clean ask ends
  lab::ip_version ip = lab::ip_version::v4;
  bool virtual_clock = false;
  bool disk_lost = false;
  bool without_fault = false;  ///< for tests of the cases

  /// How long this playing waits for an ask.
  [[nodiscard]] milliseconds patience() const noexcept;
  [[nodiscard]] const system_host* find(std::string_view name) const noexcept;
  /// Of the judged hosts to what they need, in the order in which they are named.
  [[nodiscard]] std::vector<link> links() const;
  /// The hosts, each after what it needs.
  [[nodiscard]] std::vector<const system_host*> start_order() const;
};

/// The names of hosts that the judge adds.
inline constexpr const char* user_host = "user";
inline constexpr const char* witness_host = "witness";
/// The host to which a dependency's name moves.
[[nodiscard]] std::string spare_of(const std::string& host);

/// Why nobody can play it, as a sentence that says what to do; nothing if it can be played.
[[nodiscard]] std::optional<std::string> problem_of(const system& s);

void to_json(nlohmann::json& j, const system& s);
/// Throws nlohmann::json::exception for what is no system.
void from_json(const nlohmann::json& j, system& s);

}  // namespace halfopen::judge

#endif
