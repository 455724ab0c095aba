#ifndef HALFOPEN_SRC_JUDGE_BASELINE_HPP
#define HALFOPEN_SRC_JUDGE_BASELINE_HPP

#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>

#include "judge/pair.hpp"

namespace halfopen::judge {

/// The pair does not work with nothing wrong, so nothing can be said of it with a fault.
struct no_baseline : std::runtime_error {
  std::string hint;                                          ///< what its user can do
  std::string server_output, server_errors, output, errors;  ///< the programs' own words
  no_baseline(const std::string& what, std::string then) : std::runtime_error(what), hint(std::move(then)) {}
};

[[nodiscard]] nlohmann::json json_of(const no_baseline& e);
[[nodiscard]] no_baseline no_baseline_of(const nlohmann::json& j);

/// Runs the pair without a fault, some times: what is said, whether it is the same each time,
/// whether either program takes the recording for its peer. Throws no_baseline.
[[nodiscard]] baseline record_baseline(const pair& who);

}  // namespace halfopen::judge

#endif
