#ifndef HALFOPEN_SRC_JUDGE_DECIDE_OUTAGE_HPP
#define HALFOPEN_SRC_JUDGE_DECIDE_OUTAGE_HPP

/// \file
/// What a service did while a dependency of it was away, and after: one finding a look. All times are counted
/// from the fault on; those before it are negative.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfopen/lab/process.hpp"
#include "judge/decide/client.hpp"
#include "judge/decide/finding.hpp"

namespace halfopen::judge {

/// Which of the commands that ask.
enum class probe_kind : std::uint8_t { probe, health, other };
[[nodiscard]] std::string_view to_string(probe_kind p) noexcept;

/// What came of one ask.
enum class ask_end : std::uint8_t {
  served,    ///< exit 0, output as usual
  refused,   ///< another exit, within the limit
  wrong,     ///< exit 0, other output
  hung,      ///< not ended within the limit; it was killed
  cut_short  ///< still under way when the watch ended: nothing is said of it
};
[[nodiscard]] std::string_view to_string(ask_end e) noexcept;

/// One run of a command that asks.
struct ask {
  probe_kind what = probe_kind::probe;
  milliseconds begun{};
  milliseconds took{};
  ask_end how = ask_end::served;
  int code = 0, signal = 0;
  std::string says{};         ///< its own telling line, if it was not served
  bool figures_only = false;  ///< of a wrong one: as usual but for figures, as one that tells the time
  /// Of a hung one: it had a connection of its own to the dependency, which was away for it too.
  bool asks_itself = false;
  milliseconds kept_waiting{};  ///< of `took`, by the machine: programs of the lab were ready, and others ran
  [[nodiscard]] milliseconds ended() const noexcept { return begun + took; }
  [[nodiscard]] milliseconds of_its_own() const noexcept { return took - std::min(took, kept_waiting); }
};

/// What became of a connection to the dependency, as far as packets show it.
enum class connection_end : std::uint8_t {
  open,        ///< no packet ended it
  closed,      ///< a FIN of either side came first
  reset,       ///< an RST of either side came first
  refused,     ///< its SYN was answered by an RST
  unanswered,  ///< its SYN was answered by nothing, or by a router
};
[[nodiscard]] std::string_view to_string(connection_end e) noexcept;

/// A connection that the service opened, or tried to open, to the dependency.
struct dependency_connection {
  milliseconds opened{};                ///< its first SYN
  std::optional<milliseconds> ended{};  ///< the packet that ended it; of an unanswered one its last; or none
  connection_end how = connection_end::open;
  friend bool operator==(const dependency_connection&, const dependency_connection&) = default;
};

/// What is looked at, each with a line of its own.
enum class look : std::uint8_t {
  during,     ///< asks while the dependency is away: served or refused, never hung or wrong
  after,      ///< served again once it is back
  alive,      ///< its command runs
  health,     ///< the health endpoint agrees with the probe
  other,      ///< what needs no dependency goes on being served
  storm,      ///< attempts to connect are few
  leftovers,  ///< sockets, descriptors, threads and memory do not grow with every outage
  once,       ///< no request reaches the dependency twice
};
[[nodiscard]] std::string_view to_string(look l) noexcept;
inline constexpr std::size_t all_looks = 8;

/// What a service has at one moment.
struct possessions {
  std::size_t sockets = 0, descriptors = 0, threads = 0;
  std::uint64_t memory = 0;  ///< resident bytes
};

/// Requests of one kind that the dependency's kernel acknowledged, and how many asks there were to cause
/// them.
struct request_count {
  std::size_t arrived = 0;
  std::size_t asks = 0;            ///< each may cause one
  std::uint64_t first_packet = 0;  ///< of the one that came again
  std::uint64_t again_packet = 0;
};

/// A connection to the dependency, and what the kernel would do if the dependency said nothing more.
struct waiting_socket {
  waiting what_for{};
  wait_length length{};
};

/// How well it is known that an ask waits on a connection, the surest first.
enum class waits_on : std::uint8_t {
  unanswered,  ///< the service said something on it, or began to connect, since the ask began: nothing came
               ///< back
  answered,    ///< ... and something came back, perhaps not all
  open         ///< it is open
};

/// On which connections the first ask that hung may have waited, when it had hung; or, if none hung, what the
/// service said since the fault and was not answered when the outage ended. The surest ones alone.
struct waits_seen {
  waits_on how{};
  std::vector<waiting_socket> sockets;
};

/// The service said something on a connection that the dependency had ended before, and an RST was the
/// answer.
struct stale_use {
  milliseconds ended{};      ///< the service's kernel acknowledged the dependency's FIN
  milliseconds used{};       ///< it said something new
  std::uint64_t packet = 0;  ///< ... in this one
};

/// What was seen of a service and its dependency.
struct outage_seen {
  std::vector<ask> asks;  ///< of all three kinds, in the order in which they ended
  milliseconds back{};    ///< when the dependency could be reached again
  milliseconds limit{};   ///< so long an ask was waited for in this playing
  milliseconds recover{};
  milliseconds watched{};  ///< after `back`
  /// So long the dependency was away, measured; nothing if it was not, or came and went.
  std::optional<milliseconds> away{};
  bool serves = true;          ///< a worker of a queue does not: how long an ask takes is not its choice
  bool stands_behind = false;  ///< another host of the system needs it, and may be the one that fails
  bool moved = false;          ///< its name gives another address since the fault
  bool fresh_data = false;     ///< what answers now may not have the data that the dependency had
  bool spoke_again = false;    ///< it and the dependency said something to each other since `back`
  milliseconds usual_probe{};  ///< a `probe` ask took so long with nothing wrong
  milliseconds usual_other{};  ///< an `other` ask took so long with nothing wrong
  std::optional<lab::exit_status> ended{};  ///< its command
  milliseconds ended_at{};
  bool restarted = false;               ///< and somebody started it again, as the user says
  std::vector<milliseconds> attempts;   ///< when it began to connect to where the dependency was at first
  std::vector<stale_use> stale_uses;    ///< by when they were used
  std::optional<double> busy{};         ///< of one processor, while the dependency was away
  std::vector<possessions> after_each;  ///< of several outages; [0] before the first
  std::optional<request_count> requests{};
  std::optional<waits_seen> waits{};
};

/// When it was served again: the end of the first ask since `back` that was served, was begun since the
/// fault, and after whose begin no ask of the probe began that was not, if there were enough of them.
/// Nothing: it never was.
[[nodiscard]] std::optional<milliseconds> served_again(const outage_seen& seen) noexcept;
[[nodiscard]] std::optional<milliseconds> served_again(std::span<const ask> asks, milliseconds back) noexcept;

/// That ask failed since `back` because of a stale connection: the service said something on it, and since
/// the fault until the ask's end it had not tried to connect, so that it did not pause after a failure
/// either. Nothing if it is not so.
[[nodiscard]] std::optional<stale_use> stale_use_of(const outage_seen& seen, const ask& a);

/// The dependency's name gave another address, and the service went on to connect to the old one: until then.
[[nodiscard]] std::optional<milliseconds> asked_old_address_until(const outage_seen& seen) noexcept;

/// So many asks of the probe in a row, served, are a steady state.
inline constexpr std::size_t steady_asks = 3;

/// One look, and what it rests on.
struct look_finding {
  look at{};
  finding found{};
  std::size_t count = 0;                 ///< asks, attempts a second, connections: what the look counts
  std::optional<milliseconds> figure{};  ///< how long
  std::optional<std::size_t> example{};  ///< index of an ask that shows it
};

/// Every look that could be made.
[[nodiscard]] std::vector<look_finding> decide(const outage_seen& seen);

/// More new connections than that in each of three seconds are a storm, or near one.
inline constexpr std::size_t many_a_second = 10, storm_a_second = 100;

}  // namespace halfopen::judge

#endif
