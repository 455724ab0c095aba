#ifndef HALFOPEN_SRC_CLI_REPEAT_COMMAND_HPP
#define HALFOPEN_SRC_CLI_REPEAT_COMMAND_HPP

#include <CLI/CLI.hpp>
#include <set>
#include <string>

namespace halfopen::cli {

/// A command for /bin/sh that calls the verb with the options that it was given, on the command
/// line or by a settings file, but for those `without` (long names, no dashes). The program is
/// called as it was: by its path, or by its name if the shell had found it.
[[nodiscard]] std::string repeat_command(const CLI::App& verb, const std::string& program,
                                         const std::set<std::string>& without);

}  // namespace halfopen::cli

#endif
