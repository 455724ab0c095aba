// What GitHub's runner shows beside a pull request's changes: a command a line on the standard output of a
// step. https://docs.github.com/actions/reference/workflow-commands-for-github-actions, "Setting an error
// message"; how it reads the escapes back is in its toolkit, packages/core/src/command.ts.

#include <fmt/format.h>

#include <string>

#include "judge/document.hpp"
#include "judge/text_report.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

/// More than ten of a kind are not shown by GitHub; the rest would be lost there without a word.
constexpr std::size_t most_shown = 10;

std::string for_the_runner(const std::string& text, bool property) {
  std::string made;
  for (const char c : report::clean(text)) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    made += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return made;
}

std::string annotation(const char* command, const std::string& title, const std::string& text,
                       const std::string& cure = {}) {
  return fmt::format("::{} title={}::{}{}\n", command, for_the_runner(title, true),
                     for_the_runner(text, false),
                     cure.empty() ? "" : "%0AChange: " + for_the_runner(cure, false));
}

std::string annotations_of(const char* command, const judgement& j, verdict v) {
  std::string text;
  std::size_t told = 0, all = 0;
  for (const case_result& r : j.results) {
    if (r.verdict != v) continue;
    if (++all > most_shown) continue;
    ++told;
    text += annotation(command, fmt::format("{}: {} ({})", j.name, r.id, to_string(r.subject)),
                       what_happened(r), r.cure);
  }
  if (all > told)
    text += annotation("notice", j.name, fmt::format("... and {} more: {}", all - told, to_string(v)));
  return text;
}

}  // namespace

std::string to_annotations(std::span<const judgement> pairs, bool strict) {
  std::string text;
  for (const judgement& j : pairs)
    text += annotations_of("error", j, verdict::fail) +
            annotations_of(strict ? "error" : "warning", j, verdict::warn) +
            annotations_of("notice", j, verdict::inconclusive);
  return text;
}

}  // namespace halfopen::judge
