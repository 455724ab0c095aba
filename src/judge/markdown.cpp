// What a pull request's page shows (GitHub's step summary, a comment of GitLab's): which cases failed, and
// what to change. GitHub Flavored Markdown: https://github.github.com/gfm, sections 4.10 (tables) and 2.4
// (escapes).

#include <fmt/format.h>

#include <string>

#include "judge/document.hpp"
#include "judge/text_report.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

/// More rows than that help nobody; the number of the others is told.
constexpr std::size_t most_rows = 50;

/// Text of a table's cell: one line, in which nothing means anything but itself.
std::string cell(const std::string& text) {
  std::string made;
  for (const char c : report::clean(text)) {
    if (c == '<')
      made += "&lt;";
    else if (c == '&')
      made += "&amp;";
    else if (std::string_view("\\`*_{}[]#|~!>@").contains(c))
      made += std::string("\\") + c;
    else
      made += c;
  }
  return made;
}

void add_row(std::string& text, const case_result& r) {
  text += fmt::format("| {} | {} | {} | {} | {} |\n", cell(r.id), to_string(r.subject), to_string(r.verdict),
                      cell(what_happened(r)), cell(r.cure));
}

void add(std::string& text, const judgement& j) {
  text += fmt::format("### halfopen: {}\n\n{}\n\n", cell(j.name), cell(counts_in_words(j)));
  std::size_t rows = 0;
  for (const verdict v : {verdict::fail, verdict::warn, verdict::inconclusive})
    for (const case_result& r : j.results) {
      if (r.verdict != v) continue;
      if (rows == 0)
        text +=
            "| case | judged | verdict | what happened | what to change |\n| --- | --- | --- | --- | --- |\n";
      if (rows++ < most_rows) add_row(text, r);
    }
  if (rows > most_rows) text += fmt::format("\n... and {} more\n", rows - most_rows);
  if (rows > 0) text += "\n";
}

}  // namespace

std::string to_markdown(std::span<const judgement> pairs) {
  std::string text;
  for (const judgement& j : pairs) add(text, j);
  return text;
}

}  // namespace halfopen::judge
