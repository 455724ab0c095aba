#ifndef HALFOPEN_SRC_JUDGE_DECIDE_FINDING_HPP
#define HALFOPEN_SRC_JUDGE_DECIDE_FINDING_HPP

/// \file
/// The words of what is concluded. In this folder are pure functions only: no clock, no /proc, no packet
/// that is still on its way, and no sentence. Sentences are made last, in judge/sentences.cpp.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace halfopen::judge {

using std::chrono::milliseconds;

/// Whom a case judges. A service is a server to some, and a client of what it depends on.
enum class subject : std::uint8_t { client, server, service };
[[nodiscard]] std::string_view to_string(subject s) noexcept;

/// From good to bad, but for the last two, which say nothing about the program.
enum class verdict : std::uint8_t {
  pass,
  warn,  ///< it works, but slower than the limit, or by luck
  fail,
  inconclusive,    ///< the packets do not prove the fault, or the means is missing
  not_applicable,  ///< what the case needs does not occur between these two programs
};
[[nodiscard]] std::string_view to_string(verdict v) noexcept;
[[nodiscard]] std::optional<verdict> parse_verdict(std::string_view text) noexcept;

/// What a program did after a fault.
enum class outcome : std::uint8_t {
  // A client.
  unaffected,     ///< its usual output, on the connections that it had
  recovered,      ///< its usual output, on a new connection
  reported,       ///< an exit other than 0
  crashed,        ///< killed by a signal; a server too
  hangs,          ///< not ended within the limit, and waits
  spins,          ///< the same, and burns the processor; a server too
  tries_again,    ///< the same, and goes on connecting
  false_success,  ///< exit 0 with another output
  // A server.
  serves_on,        ///< it lives, answers others, and gave the connection back
  ended,            ///< by itself
  no_answer,        ///< the next client got none
  wrong_answer,     ///< the next client got another one than usual
  holds,            ///< the dead connection, as long as it was watched
  releases_late,    ///< gave it back after the limit
  process_crashed,  ///< not the command itself, but a process of it
  not_as_asked,     ///< what the case asks besides; a check says what
  does_as_asked,
  // A service, while a dependency of it is away and after.
  refuses,             ///< asks are refused in time meanwhile, or served
  refuses_late,        ///< after more than half of the limit
  lets_hang,           ///< an ask is neither served nor refused within the limit
  answers_wrong,       ///< an ask gets exit 0 and another output than usual
  serves_again,        ///< soon after the dependency's return
  serves_again_late,   ///< by itself, but later than it should
  uses_stale,          ///< asks are put on connections that the dependency had ended before
  never_serves_again,  ///< as long as it was watched
  runs_on,             ///< its command
  says_healthy,        ///< while asks are not served
  stops_others,        ///< what needs no dependency is not served, or slowly
  storms,              ///< it connects again and again without a pause
  leaks,               ///< something grows with every outage
  asks_twice,          ///< a request reaches the dependency twice
};
[[nodiscard]] std::string_view to_string(outcome o) noexcept;

/// What a verdict rests on. An event stays true however busy the machine was; what did not come
/// in time, or took too much of the processor, has to be confirmed.
enum class basis : std::uint8_t { event, time, processor };
[[nodiscard]] std::string_view to_string(basis b) noexcept;

/// Why nothing can be said.
enum class obstacle : std::uint8_t {
  none,
  unproved,     ///< the packets do not prove the fault
  not_there,    ///< what the case needs does not occur between the two
  no_replay,    ///< the recording does not work on this program
  no_means,     ///< the lab cannot do it to this program
  too_busy,     ///< the machine was
  lab_failed,   ///< or the case's process
  varies,       ///< what the programs say differs from run to run in more than figures
  unconfirmed,  ///< a second playing did not show the same, or there was none
  asks_itself,  ///< the command that asks has a connection of its own to what is away, and may be what waits
};
[[nodiscard]] std::string_view to_string(obstacle o) noexcept;

/// Who played the judged program's peer, to the byte at which the case falls.
enum class player : std::uint8_t {
  nobody,     ///< the case needs no such place
  recording,  ///< of what was said with nothing wrong
  program,    ///< the real one, stopped there by the cable
};
[[nodiscard]] std::string_view to_string(player p) noexcept;

/// How long a hang lasts, and who says so.
struct hang_length {
  enum class source : std::uint8_t { unknown, computed, measured, watched } how = source::unknown;
  std::optional<milliseconds> ends{};  ///< nothing: it has no end, or none that was seen
  /// So long after the fault it went on still, and nobody watched it any longer: a loop, or a measured hang
  /// that has not ended.
  std::optional<milliseconds> watched{};
  std::size_t attempts = 0;  ///< of a loop that was watched: how often it had tried by then
  friend bool operator==(const hang_length&, const hang_length&) = default;
};
[[nodiscard]] std::string_view to_string(hang_length::source s) noexcept;

/// One conclusion.
struct finding {
  judge::verdict verdict = judge::verdict::pass;
  outcome did = outcome::serves_on;
  basis rests_on = basis::event;
  obstacle why = obstacle::none;  ///< of an inconclusive one
  hang_length length{};
};

/// Which of several findings is told: the worst, and of equals the one that rests on an event, else the
/// first. What could not be told of the program counts more than a warning, and less than a failure.
/// Nothing if there are none.
[[nodiscard]] std::optional<std::size_t> told_of(std::span<const finding> all) noexcept;

/// Whether a second playing has to confirm it.
[[nodiscard]] bool needs_confirmation(verdict v, basis rests_on) noexcept;

/// Of one processor. A program that waits uses next to nothing.
inline constexpr double too_busy = 0.5;

}  // namespace halfopen::judge

#endif
