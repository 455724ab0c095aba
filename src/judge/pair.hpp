#ifndef HALFOPEN_SRC_JUDGE_PAIR_HPP
#define HALFOPEN_SRC_JUDGE_PAIR_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "judge/decide/finding.hpp"
#include "judge/recording.hpp"
#include "judge/replay.hpp"

namespace halfopen::judge {

/// A server that opens several ports opens them one after the other, and is ready a little later.
inline constexpr std::chrono::milliseconds settled{200};

/// What the user named, and how it is judged.
struct pair {
  std::string server_command, client_command;  ///< for /bin/sh
  std::vector<std::string> environment;        ///< "NAME=value", for both
  std::optional<std::uint16_t> port;           ///< of the server, if the user says so
  std::string ready;           ///< regular expression in the server's output; empty: it listens
  milliseconds limit{20'000};  ///< within which a program shall know
  /// What has not happened within this is told as provisional, and left to a playing under the virtual
  /// clock, where waiting costs nothing. 0: there is none.
  milliseconds first_look{0};
  milliseconds clean_limit{60'000};  ///< within which the client ends when nothing is wrong
  milliseconds grace{10'000};        ///< within which a server shall end after SIGTERM
  lab::ip_version ip = lab::ip_version::v4;
  /// Time jumps over waiting: what takes hours is watched to its end.
  bool virtual_clock = false;
  /// Under the virtual clock: a dead connection that a server holds, and that the kernel's timers will
  /// end, is watched for some minutes only. A server that wakes up ten times a second costs a second of
  /// processor time for every minute of its own.
  bool brief = false;
  bool disk_lost = false;  ///< a host that reboots has lost its files too
  bool terminal = false;   ///< the client's command has one
  bool once = false;       ///< the client's request may be done once only
  /// Who plays the judged program's peer. Nothing: the recording where it works, else the program.
  std::optional<player> peer{};
  /// Faults are put on each of several connections: the baseline looks at each.
  bool each_connection = false;
  /// For tests of the cases: the fault is left out, and nothing may be concluded.
  bool without_fault = false;

  /// How long this playing waits for what shall happen within the limit.
  [[nodiscard]] milliseconds patience() const noexcept {
    return first_look.count() > 0 ? std::min(first_look, limit) : limit;
  }
};

/// What a host runs for them. A terminal is given by script(1), whose exit status is the command's, or 128 +
/// N if signal N ended that; both outputs are one there, and lines end with CR LF.
[[nodiscard]] lab::program server_program(const judge::pair& who);
[[nodiscard]] lab::program client_program(const judge::pair& who);

/// What the pair does when nothing is wrong.
struct baseline {
  recording said;
  std::string output;        ///< of the client
  std::string output_again;  ///< of a second client of the same server
  /// Two runs, each with a fresh server and a fresh client, gave different outputs: only their
  /// shape is compared.
  bool varies = false;
  bool same_shape = true;        ///< of those two outputs, figures apart
  std::size_t last_awaited = 0;  ///< of said.main().requests(): the last whose reply the client waits for
  /// The same of each connection, where each was looked at; else empty.
  std::vector<std::size_t> last_awaited_on;
  /// Of several connections: the work is shared out to them otherwise in each run.
  bool by_chance = false;
  std::size_t packets = 0;  ///< from the first SYN to silence after the client's end
  milliseconds took{};      ///< the client
  milliseconds start{};     ///< the server, until it listened
  /// Signatures and the like are not always as long: by so many bytes what a side had said before a turn
  /// may differ from the recording; 0 if two runs did not.
  std::size_t client_differs = 0, server_differs = 0;
  bool reply_varies = false;        ///< it is not always as long
  reply_size reply;                 ///< to the request of the main connection
  std::string no_replay_to_server;  ///< why the recorded request does not work; empty if it does
  std::string no_replay_to_client;  ///< why the recorded reply does not work; empty if it does
  bool replay_in_segments = false;  ///< the client takes it only cut as it was recorded
  bool concurrent = true;           ///< the server answers one client while another one is connected
  milliseconds cost{};              ///< processor time of one exchange, the programs' start included

  /// Outputs differ in more than figures: what is unlike all of them may still be right.
  [[nodiscard]] bool unpredictable() const noexcept { return varies && !same_shape; }
  /// Whether the client's output is what it was without a fault.
  [[nodiscard]] bool same_output(std::string_view now) const;
  /// Whether a later client of the same server was answered as ever: one whose output counts its
  /// visits prints another figure.
  [[nodiscard]] bool answered_as_ever(std::string_view now) const;
  /// The client's turn that is its N-th request, counted from 1; 0 is the last that it waits for.
  /// Nothing if there are not so many.
  [[nodiscard]] std::optional<std::size_t> request_turn(std::size_t n) const;
  /// The one on which a server is judged: the last that can be played back, else the last that the client
  /// waits for.
  [[nodiscard]] std::optional<std::size_t> request_to_server() const;
  /// The same with that connection as the main one; unchanged if there are not so many. Counted from 1.
  [[nodiscard]] baseline falling_on(std::size_t connection) const;
};

void to_json(nlohmann::json& j, const baseline& b);
void from_json(const nlohmann::json& j, baseline& b);

/// Numbers replaced by '#': what stays of an output whose figures differ from run to run.
[[nodiscard]] std::string shape_of(std::string_view output);

}  // namespace halfopen::judge

#endif
