// The lines in which a program tells how its connections ended, found in whatever
// else it writes.
//
// A structured output would need no parser, but then the lab would believe a channel
// of its own, and not what the program's user reads. So the line is to_string(fate)
// of fate.hpp, and it is read strictly where a mistake could make two views agree
// that do not: the words must be whole, and in their places. What follows the phase
// is free text.
//
// A regular expression would be shorter; libstdc++'s recurses over its input
// (std::regex, GCC bug 86164), and the input is a program's output of any length.

#include "situation/reported.hpp"

#include <array>

namespace halfopen::situation {
namespace {

/// Takes `prefix` off the front, if it is there.
bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Takes the word off the front: all that names of endings and phases are made of.
std::string_view take_word(std::string_view& text) {
  const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(word.size());
  return word;
}

std::optional<phase> parse_phase(std::string_view name) {
  constexpr std::array all{phase::connecting, phase::idle, phase::sending, phase::awaiting_reply,
                           phase::receiving_reply};
  for (const phase p : all)
    if (to_string(p) == name) return p;
  return std::nullopt;
}

std::optional<report_line> parse(std::string_view line, std::string_view program) {
  if (!skip(line, program) || !skip(line, ": ")) return std::nullopt;
  const auto colon = line.find(": ");
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  report_line made{.connection = std::string(line.substr(0, colon)), .how = {}, .or_else = {}, .when = {}};
  line.remove_prefix(colon + 2);

  const auto how = parse_ending(take_word(line));
  if (!how) return std::nullopt;
  made.how = *how;
  if (skip(line, " or ") && !(made.or_else = parse_ending(take_word(line)))) return std::nullopt;
  if (skip(line, " while ") && !(made.when = parse_phase(take_word(line)))) return std::nullopt;
  if (!line.empty() && line[0] != ':' && line[0] != ';') return std::nullopt;
  return made;
}

}  // namespace

std::vector<report_line> reported_endings(std::string_view output, std::string_view program) {
  std::vector<report_line> found;
  for (std::size_t end; (end = output.find('\n')) != std::string_view::npos; output.remove_prefix(end + 1))
    if (auto line = parse(output.substr(0, end), program)) found.push_back(std::move(*line));
  return found;
}

std::string words_of(const report_line& r) {
  std::string text(to_string(r.how));
  if (r.or_else) text += " or " + std::string(to_string(*r.or_else));
  return text;
}

}  // namespace halfopen::situation
