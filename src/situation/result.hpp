#ifndef HALFOPEN_SRC_SITUATION_RESULT_HPP
#define HALFOPEN_SRC_SITUATION_RESULT_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halfopen/fate.hpp"
#include "play/check.hpp"

namespace halfopen::situation {

/// What came of one variant, played by one pair.
enum class verdict : std::uint8_t {
  met,             ///< the packets prove the fault, and all was as expected
  not_met,         ///< the packets prove the fault, something else was not as expected
  inconclusive,    ///< the packets do not prove the fault: nothing can be said
  broken,          ///< the lab itself failed
  not_applicable,  ///< this machine lacks what it needs, and it was not played
};
[[nodiscard]] const char* to_string(verdict v) noexcept;
[[nodiscard]] explanation explain(verdict v) noexcept;

/// What else the lab's report calls by a word of its own.
[[nodiscard]] std::span<const explanation> other_words() noexcept;

using play::check;

/// How a connection ended, as each of the three who can know says it (see agreement.hpp).
struct three_views {
  std::string done;                             ///< by the lab: "peer_rebooted"
  std::string packets;                          ///< what they tell: "peer_rebooted or peer_reset"
  std::map<std::string, std::string> reported;  ///< by whom: {"client", "peer_reset or peer_rebooted"}
  bool agree = false;
  std::vector<std::string> because;  ///< why they agree where the words differ, a sentence each
};

struct result {
  std::string situation, variant, pair;
  std::size_t round = 1;  ///< of a run that is repeated
  halfopen::situation::verdict verdict = halfopen::situation::verdict::broken;
  std::string saw;                                 ///< what the program saw, in words
  std::string answer;                              ///< that it got, where that is what is looked at: "-99"
  std::optional<std::chrono::milliseconds> after;  ///< from the fault to that
  std::vector<std::string> settings;               ///< kernel settings that were changed: "tcp_retries2 3"
  std::string by_default;                          ///< its length at the kernel's default settings
  std::optional<std::chrono::milliseconds> by_default_length;  ///< the same, in figures
  bool by_default_measured = false;                            ///< ... measured, not computed
  std::vector<check> checks;
  std::vector<std::string> story;      ///< of the connection, as the packets tell it
  std::optional<three_views> endings;  ///< of the robust pair; nothing if the run did not come so far
  std::string evidence;                ///< path of the capture; empty if none was kept
  std::string problem;                 ///< of the lab itself, for broken
  std::chrono::milliseconds took{};
};

/// "exit/fin-first naive"; ", round 2" from the second round on.
[[nodiscard]] std::string id_of(const result& r);

void to_json(nlohmann::json& j, const three_views& v);
void from_json(const nlohmann::json& j, three_views& v);
void to_json(nlohmann::json& j, const result& r);
void from_json(const nlohmann::json& j, result& r);

}  // namespace halfopen::situation

#endif
