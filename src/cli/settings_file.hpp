#ifndef HALFOPEN_SRC_CLI_SETTINGS_FILE_HPP
#define HALFOPEN_SRC_CLI_SETTINGS_FILE_HPP

#include <CLI/CLI.hpp>
#include <set>
#include <stdexcept>
#include <string>

namespace halfopen::cli {

struct settings_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Options of a verb from a TOML file, whose keys are the long options' names; what stands on
/// the command line has precedence. Without a path the usual file is read, if it is there.
/// Throws settings_error: a file that cannot be read, that is no TOML, an unknown key, a value
/// that the option does not take; with the place.
/// `besides`: keys that are somebody else's to read.
void read_settings(CLI::App& verb, const std::string& path, const std::string& usual_path,
                   const std::set<std::string>& besides = {});

}  // namespace halfopen::cli

#endif
