#ifndef HALFOPEN_SRC_JUDGE_RESULT_HPP
#define HALFOPEN_SRC_JUDGE_RESULT_HPP

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "judge/decide/finding.hpp"
#include "judge/decide/outage.hpp"
#include "play/check.hpp"

namespace halfopen::judge {

/// How a fail or warn that rests on time was confirmed.
enum class confirmation : std::uint8_t {
  not_needed,
  wanted,         ///< not yet played again
  virtual_clock,  ///< played again where load cannot matter
  alone,          ///< played again with nothing else of the judge's under way
  refuted,        ///< it came out otherwise: inconclusive
};
[[nodiscard]] std::string_view to_string(confirmation c) noexcept;

using play::check;
using play::first_unproved;

/// A packet between two hosts.
struct seen_packet {
  std::uint64_t number = 0;
  double at_ms = 0;  ///< from the first packet of the case
  std::string from{}, to{};
  std::uint8_t flags = 0;                              ///< trace::syn and so on
  std::uint32_t length = 0;                            ///< bytes of payload
  trace::unreachable icmp = trace::unreachable::none;  ///< a router's message, and no segment
  lab::passage became = lab::passage::delivered;
  std::vector<std::string> notes{};  ///< what was done at that moment
};

/// "RST ACK, 12 bytes"
[[nodiscard]] std::string label_of(const seen_packet& p);

/// How a program ended.
struct program_end {
  double at_ms = 0;
  std::string host;
  int code = 0, signal = 0;  ///< of wait(2); signal 0: it exited by itself
};

struct output {
  std::string program;  ///< "server"
  std::string out, err;
};

/// What was looked at of a service, and what was found.
struct looked_at {
  look at{};
  judge::verdict verdict = judge::verdict::inconclusive;
  outcome did{};
  std::string words;
};

struct case_result {
  std::string id;  ///< "exit/6"
  judge::subject subject{};
  judge::verdict verdict = judge::verdict::inconclusive;
  std::optional<outcome> did;
  obstacle why = obstacle::none;
  player peer = player::nobody;
  basis rests_on = basis::event;  ///< the verdict
  confirmation confirmed = confirmation::not_needed;
  /// It was not watched up to the limit: only a second playing can tell.
  bool provisional = false;
  /// Of an inconclusive one: a proof did not come in time, or the lab could not do something in time.
  bool may_be_load = false;
  std::optional<double> fault_at_ms;  ///< from the first packet; nothing if none was done
  std::optional<milliseconds> after;  ///< from the fault to what happened
  /// So long after the fault it was looked at, and had not ended, or still held the dead connection.
  std::optional<milliseconds> still_waiting;
  hang_length length;
  /// Time in which the programs were ready to run and others had the processor.
  milliseconds kept_waiting{};
  std::vector<check> checks;
  std::vector<seen_packet> packets;
  std::vector<program_end> ends;
  std::vector<output> outputs;
  // Of a service's outage; times count from the fault.
  std::string service, dependency;  ///< the hosts
  std::vector<ask> asks;
  std::vector<looked_at> looks;
  std::optional<milliseconds> back_after;          ///< the dependency's return, from the fault
  std::vector<dependency_connection> connections;  ///< of the service to it; those that ended earlier are not
  milliseconds took{};
  std::string evidence;  ///< path of the capture; empty if none was kept

  // In words.
  std::string rule;          ///< the sentence that the case rests on
  std::string done;          ///< what was done
  std::string expected;      ///< of the program
  std::string happened;      ///< what it did
  std::string cure;          ///< what to change; empty for a pass
  std::string reason;        ///< why inconclusive or not applicable
  std::string length_words;  ///< "ended after 15 min 24 s (measured)"
  std::vector<std::string> story;
};

/// What the program did, or why nothing can be said of it.
[[nodiscard]] const std::string& what_happened(const case_result& r) noexcept;

void to_json(nlohmann::json& j, const case_result& r);
void from_json(const nlohmann::json& j, case_result& r);

/// A host of a system, for who reads the report.
struct judged_host {
  std::string name, command;
  std::vector<std::string> needs;
  friend bool operator==(const judged_host&, const judged_host&) = default;
};

/// A pair of programs, or a system of them, judged.
inline constexpr std::size_t most_shards = 100'000;

/// Which of a judgement's shards (--shard I/N) are in it; with `of` 0 it is no part of one.
struct shards_played {
  std::size_t of = 0;
  std::vector<std::size_t> played;  ///< counted from 1, in order

  [[nodiscard]] std::vector<std::size_t> missing() const;
};

struct judgement {
  std::string name;                            ///< "redis-server / redis-cli"
  std::string server_command, client_command;  ///< of a pair
  std::vector<judged_host> hosts;              ///< of a system
  std::string probe;                           ///< the command that asks it
  std::string health, other;                   ///< the other two that do; may be empty
  std::string clock;                           ///< "real", "virtual"
  std::string version, date;
  std::string repeat;  ///< the command that judges them so again; a case is named after it
  int ip_version = 4;
  std::vector<std::string> remarks;  ///< on the baseline
  std::vector<case_result> results;
  std::size_t planned = 0;  ///< cases that were to be played; 0 if nobody said
  shards_played shards{};
  bool interrupted = false;  ///< somebody asked to stop before all of them were
};

void to_json(nlohmann::json& j, const judgement& r);
void from_json(const nlohmann::json& j, judgement& r);

/// As JSON; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string to_text(const nlohmann::json& j, int indent = -1);

[[nodiscard]] std::size_t count(std::span<const case_result> results, verdict v) noexcept;

/// 0 all pass, 1 some fail (with `strict`, or warn), 4 nothing failed but something was inconclusive.
[[nodiscard]] int exit_code_of(std::span<const case_result> results, bool strict) noexcept;

}  // namespace halfopen::judge

#endif
