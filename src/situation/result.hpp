#ifndef HALFOPEN_SRC_SITUATION_RESULT_HPP
#define HALFOPEN_SRC_SITUATION_RESULT_HPP

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace halfopen::situation {

/// What came of one variant, played by one pair.
enum class verdict : std::uint8_t {
  met,           ///< the packets prove the fault, and all was as expected
  not_met,       ///< the packets prove the fault, something else was not as expected
  inconclusive,  ///< the packets do not prove the fault: nothing can be said
  broken,        ///< the lab itself failed
};
[[nodiscard]] const char* to_string(verdict v) noexcept;

struct check {
  std::string what;  ///< "RST without ACK from the server (packet 12)"
  bool holds = false;
  bool is_proof = false;  ///< of the fault, by packets; else an expectation
};

struct result {
  std::string situation, variant, pair;
  verdict what = verdict::broken;
  std::string saw;                                 ///< what the program saw, in words
  std::optional<std::chrono::milliseconds> after;  ///< from the fault to that
  std::vector<std::string> settings;               ///< kernel settings that were changed: "tcp_retries2 3"
  std::string by_default;                          ///< its length at the kernel's default settings, computed
  std::vector<check> checks;
  std::vector<std::string> story;  ///< of the connection, as the packets tell it
  std::string evidence;            ///< path of the capture; empty if none was kept
  std::string problem;             ///< of the lab itself, for broken
  std::chrono::milliseconds took{};
};

void to_json(nlohmann::json& j, const result& r);
void from_json(const nlohmann::json& j, result& r);

/// As JSON in one line; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string to_text(const result& r);

}  // namespace halfopen::situation

#endif
