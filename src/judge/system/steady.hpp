#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_STEADY_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_STEADY_HPP

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "judge/diagnosis.hpp"
#include "judge/system/asker.hpp"
#include "judge/system/system.hpp"

namespace halfopen::judge {

/// What a system does with nothing wrong.
struct steady_state {
  usual_answer probe, health, other;
  bool concurrent = true;                                   ///< it serves some asks at one time
  std::map<std::string, milliseconds> start;                ///< of each host, until it was ready
  std::map<std::string, std::vector<std::uint16_t>> ports;  ///< by a link's name: where the service goes
  /// By a link's name: packets from the first SYN to the first ask that was served, as a reconnection needs.
  std::map<std::string, std::size_t> packets;
  /// Dependencies whose restart alone changes what the probe prints: what they knew is lost, by themselves.
  std::set<std::string> forgetful;
  milliseconds cost{};  ///< processor time of the start and an ask

  [[nodiscard]] milliseconds start_of(const std::string& host) const;
};

void to_json(nlohmann::json& j, const steady_state& s);
void from_json(const nlohmann::json& j, steady_state& s);

/// Starts the system and asks it, some times, with nothing wrong. Throws no_baseline.
[[nodiscard]] steady_state record_steady_state(const system& what);

/// Whether it answers here as it did elsewhere. Throws no_baseline if it does not work here.
[[nodiscard]] bool answers_the_same(const system& what, const steady_state& usual);

}  // namespace halfopen::judge

#endif
