#ifndef HALFOPEN_SRC_JUDGE_OUTCOME_HPP
#define HALFOPEN_SRC_JUDGE_OUTCOME_HPP

/// \file
/// What a client did after a fault, from what was seen of it: pure functions. The cure follows from what
/// the client was told: nobody who got a FIN needs keepalive to know.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/process.hpp"
#include "halfopen/trace/connection.hpp"
#include "judge/result.hpp"
#include "judge/waits.hpp"

namespace halfopen::judge {

/// What reached a client's host since the fault, each with the number of its packet, and what its
/// kernel sent to begin anew.
struct told_since {
  std::optional<std::uint64_t> fin, reset, refusal, icmp;
  std::size_t attempts = 0;  ///< connections that it began since the fault
  std::size_t answered = 0;  ///< of those, opened by a handshake
  [[nodiscard]] bool anything() const noexcept { return fin || reset || refusal || icmp; }
};

/// Of the connections that begin at that address and go to that port.
[[nodiscard]] told_since what_was_told(const std::vector<const trace::connection*>& all,
                                       const trace::ip_address& client, std::uint16_t port,
                                       trace::time_point fault);

/// "FIN in packet 12 and 14 new connections since"; "nothing reached it".
[[nodiscard]] std::string in_words(const told_since& t);

/// What was seen of a client until it ended, or until the limit and then some.
struct client_seen {
  std::optional<lab::exit_status> ended;
  bool in_time = false;               ///< it ended within the limit
  std::optional<milliseconds> after;  ///< its end, from the fault on
  bool anew = false;                  ///< it opened more connections than it has to with nothing wrong
  bool usual_output = false;
  std::string difference;    ///< of its output from the usual one, in words
  std::string says;          ///< its own line of what happened
  bool asked_twice = false;  ///< and the first request had arrived
  bool pipe = false;         ///< its command is a pipeline, of which the last part's exit status counts
  std::string must_succeed;  ///< the cure, if nothing kept it from its work; else empty
  told_since told;

  // If it had not ended at the limit.
  milliseconds limit{};   ///< so long it was waited for
  milliseconds within{};  ///< and so soon it shall know, as its user says; 0: the same
  double processor = 0;   ///< seconds that it ran, of `window`
  double busy = 0;        ///< of one processor, in the time that it was not kept waiting for one
  milliseconds window{};
  bool has_socket = false;
  waiting what_for{};
  std::optional<wait_length> wait;
  std::optional<bool> endless;             ///< every thread waits without a limit
  std::optional<milliseconds> watched_to;  ///< virtual clock: as long as it was watched, or ended by itself
  /// The bytes that the judge had delivered when the limit came, and of how many, if it had not been
  /// fast enough.
  std::optional<std::pair<std::size_t, std::size_t>> undelivered;
};

/// A verdict, and what it rests on.
struct decision {
  verdict what = verdict::pass;
  outcome kind = outcome::unaffected;
  basis rests_on = basis::event;
  std::string happened, cure;
  std::string reason;  ///< of an inconclusive one
  hang_length length;
};

[[nodiscard]] decision decide(const client_seen& seen);

/// Of one processor. A program that waits uses next to nothing.
inline constexpr double too_busy = 0.5;
/// So many new connections since the fault are no longer a recovery.
inline constexpr std::size_t many_attempts = 3;

}  // namespace halfopen::judge

#endif
