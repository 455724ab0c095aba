#ifndef HALFOPEN_SRC_CLI_SYSTEM_FILE_HPP
#define HALFOPEN_SRC_CLI_SYSTEM_FILE_HPP

#include <optional>
#include <set>
#include <string>

#include "judge/system/system.hpp"

namespace halfopen::cli {

/// The keys of a settings file that describe a system, and are no options.
[[nodiscard]] const std::set<std::string>& system_tables();

/// The hosts and the probe of a settings file ([hosts.NAME], [probe]); nothing if it describes no system, or
/// is not there. Throws settings_error, with file and line.
[[nodiscard]] std::optional<judge::system> read_system(const std::string& path);

}  // namespace halfopen::cli

#endif
