#ifndef HALFOPEN_SRC_SITUATION_REPORTED_HPP
#define HALFOPEN_SRC_SITUATION_REPORTED_HPP

/// What a robust program's error output says of its connections.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/fate.hpp"

namespace halfopen::situation {

/// One line: how the program says that a connection ended.
struct report_line {
  std::string connection;  ///< "server:7", "10.0.0.1:40000"; "?" where the program knows no name
  ending how{};
  std::optional<ending> or_else;
  std::optional<phase> when;

  [[nodiscard]] bool could_be(ending e) const noexcept { return how == e || or_else == e; }
  friend bool operator==(const report_line&, const report_line&) = default;
};

/// The lines "PROGRAM: CONNECTION: ENDING[ or ENDING][ while PHASE][: ...]" of an output, in
/// their order. `program` is "call" or "serve". All other lines, and a last one that is not
/// finished, are passed over: the output may be anything. Thread-safe.
[[nodiscard]] std::vector<report_line> reported_endings(std::string_view output, std::string_view program);

/// "peer_reset or peer_rebooted"
[[nodiscard]] std::string words_of(const report_line& r);

}  // namespace halfopen::situation

#endif
