#ifndef HALFOPEN_SRC_CLI_REPORT_FILE_HPP
#define HALFOPEN_SRC_CLI_REPORT_FILE_HPP

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/usage_error.hpp"
#include "report/whole_file.hpp"

namespace halfopen::cli {

/// Before the work that the report is about; an empty path is no report. Throws usage_error.
inline void check_report(const std::string& path) {
  if (path.empty()) return;
  if (const auto can = report::can_write_file(path); !can) throw usage_error(can.error());
}

/// Reports that would overwrite each other, or what they are about (`sources`, which stay). Throws
/// usage_error.
inline void check_apart(const std::vector<std::string>& reports,
                        const std::vector<std::string>& sources = {}) {
  std::vector<std::string> taken = sources;
  for (const std::string& path : reports) {
    if (path.empty()) continue;
    for (const std::string& other : taken) {
      std::error_code none;
      const bool same_name =
          std::filesystem::path(path).lexically_normal() == std::filesystem::path(other).lexically_normal();
      if (same_name || std::filesystem::equivalent(path, other, none))
        throw usage_error(path + " would be overwritten: it is read or written already; name another file");
    }
    taken.push_back(path);
  }
}

/// Whole or not at all; an empty path is no report. Throws usage_error.
inline void write_report(const std::string& path, std::string_view text) {
  if (path.empty()) return;
  if (const auto written = report::write_whole_file(path, text); !written) throw usage_error(written.error());
}

}  // namespace halfopen::cli

#endif
