#ifndef HALFOPEN_SRC_JUDGE_DECIDE_CLIENT_HPP
#define HALFOPEN_SRC_JUDGE_DECIDE_CLIENT_HPP

/// \file
/// What a client did after a fault, from what was seen of it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "halfopen/lab/process.hpp"
#include "halfopen/liveness.hpp"
#include "halfopen/trace/connection.hpp"
#include "judge/decide/finding.hpp"

namespace halfopen::judge {

/// What reached a client's host since the fault, each with the number of its packet, and what its
/// kernel sent to begin anew.
struct told_since {
  std::optional<std::uint64_t> fin{}, reset{}, refusal{}, icmp{};
  std::size_t attempts = 0;  ///< connections that it began since the fault
  std::size_t answered = 0;  ///< of those, opened by a handshake
  [[nodiscard]] bool anything() const noexcept { return fin || reset || refusal || icmp; }
};

/// Of the connections that begin at that address and go to that port.
[[nodiscard]] told_since what_was_told(const std::vector<const trace::connection*>& all,
                                       const trace::ip_address& client, std::uint16_t port,
                                       trace::time_point fault);

/// What a program waits for on a connection: which of the kernel's timers runs.
enum class waiting : std::uint8_t { for_data, for_acknowledgement, for_connection };

/// How long a wait on a socket would last, seen from outside.
struct wait_length {
  liveness options{};                       ///< that the socket really has
  std::optional<milliseconds> by_kernel{};  ///< when the kernel would end it; nothing: never
};

/// Of a socket with these options and timers.
[[nodiscard]] wait_length length_of_wait(const liveness& options, const hang& timers, waiting what_for);

/// What was seen of a client until it ended, or until the limit and then some.
struct client_seen {
  std::optional<lab::exit_status> ended{};
  bool in_time = false;                 ///< it ended within the limit
  std::optional<milliseconds> after{};  ///< its end, from the fault on
  bool anew = false;                    ///< it opened more connections than it has to with nothing wrong
  bool usual_output = false;
  std::string difference;  ///< of its output from the usual one; quotes both
  std::string says;        ///< its own line of what happened, as it printed it
  /// The request reached the server on two connections: packets with which it had.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> asked_twice{};
  bool once = false;  ///< its user says that it may be done once only
  trace::protocol spoken = trace::protocol::unknown;
  bool pipe = false;          ///< its command is a pipeline, of which the last part's exit status counts
  bool must_succeed = false;  ///< nothing kept it from its work
  /// The server's kernel lives and answers keepalive, so that no timer of the kernel's ends a wait for data.
  bool kernel_answers = false;
  bool unpredictable = false;  ///< nobody knows what its output should have been
  bool guessed = false;        ///< it was answered what was not recorded
  told_since told;

  // If it had not ended at the limit.
  milliseconds limit{};     ///< so long it was waited for
  milliseconds still_at{};  ///< then, from the fault on
  milliseconds within{};    ///< and so soon it shall know, as its user says; 0: the same
  double processor = 0;     ///< seconds that it ran, of `window`
  double busy = 0;          ///< of one processor, in the time that it was not kept waiting for one
  milliseconds window{};
  bool has_socket = false;
  waiting what_for{};
  std::optional<wait_length> wait{};
  std::optional<bool> endless{};             ///< every thread waits without a limit
  std::optional<milliseconds> watched_to{};  ///< virtual clock: as long as it was watched, or ended by itself
  /// The bytes that the judge had delivered when the limit came, and of how many, if it had not been
  /// fast enough.
  std::optional<std::pair<std::size_t, std::size_t>> undelivered{};
};

[[nodiscard]] finding decide(const client_seen& seen);

/// The signal that ended a program, told directly or through a shell's exit status (128 + N,
/// only of signals that no program exits with on purpose); 0 if none.
[[nodiscard]] int deadly_signal(const lab::exit_status& end) noexcept;

/// So many new connections since the fault are no longer a recovery.
inline constexpr std::size_t many_attempts = 3;

}  // namespace halfopen::judge

#endif
