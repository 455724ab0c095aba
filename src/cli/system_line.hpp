#ifndef HALFOPEN_SRC_CLI_SYSTEM_LINE_HPP
#define HALFOPEN_SRC_CLI_SYSTEM_LINE_HPP

/// \file
/// What the verbs share that hold a running system by the reins: do, ask, exec, state, down.

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "control/client.hpp"

namespace halfopen::cli {

/// Which system is meant.
struct system_choice {
  std::string settings;  ///< its settings file; empty: halfopen.toml
  std::string socket;    ///< its socket; empty: the settings file's
};
void add_system_options(CLI::App& verb, system_choice& choice);

/// Where its socket is: as named, or in HALFOPEN_SOCKET, or that of the settings file.
[[nodiscard]] std::string place_of(const system_choice& choice);

/// Throws usage_error, with what to do, if no such system is up.
[[nodiscard]] control::line_to_system line_to(const system_choice& choice);

/// The answer; one with "ok": false too. Throws usage_error if there is none.
[[nodiscard]] nlohmann::json ask_system(const system_choice& choice, const control::request& r,
                                        const std::function<void(const nlohmann::json&)>& part = {});

/// What an answer with "ok": false says.
[[nodiscard]] std::string refusal_of(const nlohmann::json& answer);

/// A text of the object's, empty if it has none.
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* key);

/// Runs it, and says in the verb's name what goes wrong, which gives `code_of_use` or 3.
int with_errors_told(const char* verb, int code_of_use, const std::function<int()>& action);

}  // namespace halfopen::cli

#endif
