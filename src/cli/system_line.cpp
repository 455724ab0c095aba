#include "cli/system_line.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/usage_error.hpp"
#include "halfopen/lab/error.hpp"
#include "report/utf8.hpp"

namespace halfopen::cli {

void add_system_options(CLI::App& verb, system_choice& choice) {
  verb.add_option("--settings", choice.settings, "the system of that settings file; default: halfopen.toml")
      ->type_name("FILE");
  verb.add_option("--socket", choice.socket,
                  "the system at that socket; default: HALFOPEN_SOCKET, if it is set")
      ->type_name("PATH");
}

std::string place_of(const system_choice& choice) {
  if (!choice.socket.empty()) return choice.socket;
  const char* named = std::getenv("HALFOPEN_SOCKET");
  if (choice.settings.empty() && named != nullptr && *named != '\0') return named;
  return control::usual_place(choice.settings.empty() ? "halfopen.toml" : choice.settings);
}

control::line_to_system line_to(const system_choice& choice) {
  const std::string place = place_of(choice);
  auto line = control::connect_to(place);
  if (line) return std::move(*line);
  std::string says = "no system is up here: halfopen up";
  if (line.error() == EPERM || line.error() == EACCES)
    says = "the system at " + place + " is another user's";
  else if (!choice.socket.empty())
    says = fmt::format("no system is up at {}: {}", place, std::strerror(line.error()));
  for (const auto& other : control::systems_that_are_up())
    says += fmt::format("\n  one is up: --socket {}  (started in {})", other.place,
                        other.folder.empty() ? "a folder that cannot be seen" : other.folder);
  throw usage_error(says);
}

nlohmann::json ask_system(const system_choice& choice, const control::request& r,
                          const std::function<void(const nlohmann::json&)>& part) {
  const auto line = line_to(choice);
  auto answer = control::ask_system(line, r, part);
  if (!answer) throw usage_error(answer.error());
  return std::move(*answer);
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string refusal_of(const nlohmann::json& answer) {
  const auto error = answer.find("error");
  if (error == answer.end() || !error->is_object()) return "refused, without a reason";
  std::string says = text_of(*error, "says");
  const std::string output = text_of(*error, "output");
  if (!output.empty()) says += "\n" + output;
  return says;
}

int with_errors_told(const char* verb, int code_of_use, const std::function<int()>& action) {
  try {
    return action();
  } catch (const usage_error& e) {
    (void)refuse(verb, e);
    return code_of_use;
  } catch (const lab::error& e) {
    fmt::print(stderr, "halfopen {}: {}\n", verb, e.what());
    return cannot_run_here;
  }
}

}  // namespace halfopen::cli
