#ifndef HALFOPEN_SRC_CLI_REPORT_FILE_HPP
#define HALFOPEN_SRC_CLI_REPORT_FILE_HPP

#include <string>
#include <string_view>

#include "cli/usage_error.hpp"
#include "report/whole_file.hpp"

namespace halfopen::cli {

/// Before the work that the report is about; an empty path is no report. Throws usage_error.
inline void check_report(const std::string& path) {
  if (path.empty()) return;
  if (const auto can = report::can_write_file(path); !can) throw usage_error(can.error());
}

/// Whole or not at all; an empty path is no report. Throws usage_error.
inline void write_report(const std::string& path, std::string_view text) {
  if (path.empty()) return;
  if (const auto written = report::write_whole_file(path, text); !written) throw usage_error(written.error());
}

}  // namespace halfopen::cli

#endif
