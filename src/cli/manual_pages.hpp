#ifndef HALFOPEN_SRC_CLI_MANUAL_PAGES_HPP
#define HALFOPEN_SRC_CLI_MANUAL_PAGES_HPP

/// \file
/// Manual pages and shells' completions, made of the same options that --help prints: nothing is told twice.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace halfopen::cli {

struct manual_page {
  std::string name;  ///< "halfopen-test"
  std::string text;  ///< for man(1), section 1 (man(7), groff_man(7))
};

/// One of the program, and one of each verb. `version` stands in the footer.
[[nodiscard]] std::vector<manual_page> manual_pages(const CLI::App& program, const std::string& version);

/// Of the words that may follow, where they are few: "server|client|both"; else nothing.
[[nodiscard]] std::vector<std::string> values_of(const CLI::Option& o);

/// "bash", "zsh" or "fish": what to source there, or to put where the shell finds it.
[[nodiscard]] std::string completion_for(const std::string& shell, const CLI::App& program);

}  // namespace halfopen::cli

#endif
