#include "cli/repeat_command.hpp"

#include "judge/text_report.hpp"

namespace halfopen::cli {

std::string repeat_command(const CLI::App& verb, const std::string& program,
                           const std::set<std::string>& without) {
  std::string text = judge::shell_quoted(program) + " " + verb.get_name();
  for (const CLI::Option* option : verb.get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (without.contains(name)) continue;
    const bool is_flag = option->get_expected_min() == 0;
    if (is_flag && !option->as<bool>()) continue;
    text += " --" + name;
    if (is_flag) continue;
    for (const std::string& value : option->results()) text += " " + judge::shell_quoted(value);
  }
  return text;
}

}  // namespace halfopen::cli
