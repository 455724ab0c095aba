#ifndef HALFOPEN_SRC_JUDGE_PAIR_HPP
#define HALFOPEN_SRC_JUDGE_PAIR_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "judge/recording.hpp"
#include "judge/replay.hpp"

namespace halfopen::judge {

/// What the user named, and how it is judged.
struct pair {
  std::string server_command, client_command;  ///< for /bin/sh
  std::vector<std::string> environment;        ///< "NAME=value", for both
  std::optional<std::uint16_t> port;           ///< of the server, if the user says so
  std::string ready;           ///< regular expression in the server's output; empty: it listens
  milliseconds limit{20'000};  ///< within which a program shall know
  milliseconds grace{10'000};  ///< within which a server shall end after SIGTERM
  lab::ip_version ip = lab::ip_version::v4;
  /// Time jumps over waiting: what takes hours is watched to its end.
  bool virtual_clock = false;
};

/// What the pair does when nothing is wrong.
struct baseline {
  recording said;
  std::string output;               ///< of the client
  bool varies = false;              ///< two runs gave different outputs: only their shape is compared
  std::size_t packets = 0;          ///< from the first SYN to silence after the client's end
  milliseconds took{};              ///< the client
  milliseconds start{};             ///< the server, until it listened
  reply_size reply;                 ///< to the request of the main connection
  std::string no_replay_to_server;  ///< why the recorded request does not work; empty if it does
  std::string no_replay_to_client;  ///< why the recorded reply does not work; empty if it does
  bool concurrent = true;           ///< the server answers one client while another one is connected

  /// Whether the client's output is what it was without a fault.
  [[nodiscard]] bool same_output(std::string_view now) const;
};

void to_json(nlohmann::json& j, const baseline& b);
void from_json(const nlohmann::json& j, baseline& b);

/// Numbers replaced by '#': what stays of an output whose figures differ from run to run.
[[nodiscard]] std::string shape_of(std::string_view output);

}  // namespace halfopen::judge

#endif
