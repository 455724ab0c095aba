#ifndef HALFOPEN_SRC_CLI_AUDIT_ARGUMENTS_HPP
#define HALFOPEN_SRC_CLI_AUDIT_ARGUMENTS_HPP

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "audit/words.hpp"
#include "halfopen/audit.hpp"

namespace halfopen::cli {

using std::chrono::milliseconds;

/// Whose connections `audit` and `watch` are about.
struct whose_arguments {
  std::vector<std::string> processes;
  std::vector<std::uint16_t> ports;
  std::string container, network;
};
void add_whose(CLI::App& verb, whose_arguments& w);
[[nodiscard]] audit::scope scope_of(const whose_arguments& w);

/// "30s", "500ms", "2m", "1h", "30": throws usage_error, with the option's name, for anything else.
[[nodiscard]] milliseconds duration_of(const std::string& option, const std::string& text);

}  // namespace halfopen::cli

#endif
