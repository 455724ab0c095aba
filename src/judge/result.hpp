#ifndef HALFOPEN_SRC_JUDGE_RESULT_HPP
#define HALFOPEN_SRC_JUDGE_RESULT_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfopen::judge {

/// Whom a case judges.
enum class subject : std::uint8_t { client, server };
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

/// What a client did after a fault.
enum class outcome : std::uint8_t {
  unaffected,     ///< its usual output, on the connections that it had
  recovered,      ///< its usual output, on a new connection
  reported,       ///< an exit other than 0
  crashed,        ///< killed by a signal
  hangs,          ///< not ended within the limit, and waits
  spins,          ///< the same, and burns the processor
  tries_again,    ///< the same, and goes on connecting
  false_success,  ///< exit 0 with another output
};
[[nodiscard]] std::string_view to_string(outcome o) noexcept;

/// What a verdict rests on. An event stays true however busy the machine was; what did not come
/// in time, or took too much of the processor, has to be confirmed.
enum class basis : std::uint8_t { event, time, processor };

/// How a fail or warn that rests on time was confirmed.
enum class confirmation : std::uint8_t {
  not_needed,
  wanted,         ///< not yet played again
  virtual_clock,  ///< played again where load cannot matter
  alone,          ///< played again with nothing else of the judge's under way
  refuted,        ///< it came out otherwise: inconclusive
};
[[nodiscard]] std::string_view to_string(confirmation c) noexcept;

/// How long a hang lasts, and who says so.
struct hang_length {
  enum class source : std::uint8_t { unknown, computed, measured } how = source::unknown;
  std::optional<std::chrono::milliseconds> ends;  ///< nothing: it has no end, or none that was seen
  std::string words;                              ///< "ended after 15 min 24 s (measured)"
};
[[nodiscard]] std::string_view to_string(hang_length::source s) noexcept;

struct check {
  std::string what;  ///< "RST without ACK from the server (packet 12)"
  bool holds = false;
  bool is_proof = false;  ///< of the fault, by packets; else an expectation of the program
};

/// A packet, as a ladder diagram shows it.
struct drawn_packet {
  std::uint64_t number = 0;
  double at_ms = 0;  ///< from the first packet of the case
  std::string from, to;
  std::string label;  ///< "PSH ACK, 12 bytes"
  std::vector<std::string> notes;
};

/// What a program did, and when.
struct program_event {
  double at_ms = 0;
  std::string host, what;  ///< "exit 1"
};

struct output {
  std::string program;  ///< "server"
  std::string out, err;
};

struct case_result {
  std::string id;  ///< "exit/6"
  subject who{};
  verdict what = verdict::inconclusive;
  std::string rule;                                ///< the sentence that the case rests on
  std::string done;                                ///< what was done
  std::string expected;                            ///< of the program
  std::string happened;                            ///< what it did
  std::string cure;                                ///< what to change; empty for a pass
  std::string reason;                              ///< why inconclusive or not applicable
  std::optional<std::chrono::milliseconds> after;  ///< from the fault to what happened
  std::optional<outcome> did;                      ///< of a client
  basis rests_on = basis::event;                   ///< the verdict
  confirmation confirmed = confirmation::not_needed;
  /// It was not watched up to the limit: only a second playing can tell.
  bool provisional = false;
  /// Of an inconclusive one: a proof did not come in time, or the lab could not do something in time.
  bool may_be_load = false;
  hang_length length;
  /// Time in which the programs were ready to run and others had the processor.
  std::chrono::milliseconds kept_waiting{};
  std::vector<check> checks;
  std::vector<std::string> story;
  std::vector<drawn_packet> packets;
  std::vector<program_event> events;
  std::vector<output> outputs;
  std::string evidence;  ///< path of the capture; empty if none was kept
  std::chrono::milliseconds took{};
};

/// What the program did, or why nothing can be said of it.
[[nodiscard]] const std::string& what_happened(const case_result& r) noexcept;

void to_json(nlohmann::json& j, const case_result& r);
void from_json(const nlohmann::json& j, case_result& r);

/// A pair of programs, judged.
struct judgement {
  std::string name;  ///< "redis-server / redis-cli"
  std::string server_command, client_command;
  std::string clock;  ///< "real", "virtual"
  std::string version, date;
  std::string repeat;  ///< the command that judges them so again; a case is named after it
  int ip_version = 4;
  std::vector<std::string> remarks;  ///< on the baseline
  std::vector<case_result> results;
  std::size_t planned = 0;   ///< cases that were to be played; 0 if nobody said
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
