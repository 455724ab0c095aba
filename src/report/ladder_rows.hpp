#ifndef HALFOPEN_REPORT_LADDER_ROWS_HPP
#define HALFOPEN_REPORT_LADDER_ROWS_HPP

/// What both forms of a ladder show, from top to bottom. Private to this folder.

#include <optional>
#include <string>
#include <vector>

#include "report/ladder.hpp"

namespace halfopen::report {

/// One of the three.
struct ladder_row {
  const ladder_arrow* arrow = nullptr;
  std::optional<ladder_mark> mark{};
  std::string gap{};  ///< "3.20 s later", "120 packets not shown"
  /// Of a gap: so much time is cut out of the scale; nothing: time does not jump.
  std::optional<std::chrono::nanoseconds> jump{};
  bool timeless = false;  ///< a mark that has no place in time
};

/// Arrows and marks by time, and the jumps of time between them.
[[nodiscard]] std::vector<ladder_row> rows_of(const ladder& l);

}  // namespace halfopen::report

#endif
