// A picture for a README: the counts, green, amber or red. SVG 1.1, without scripts and without anything from
// elsewhere; widths of Verdana's letters are not known here, so each text is given the width of its
// box (textLength).

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "judge/document.hpp"
#include "judge/text_report.hpp"

namespace halfopen::judge {
namespace {

std::size_t counted(std::span<const judgement> pairs, verdict v) {
  std::size_t n = 0;
  for (const judgement& j : pairs)
    for (const case_result& r : j.results) n += r.verdict == v ? 1 : 0;
  return n;
}

constexpr int letter = 7, margin = 6;  // of a text of 11 pixels' height

int width_of(const std::string& text) {
  return static_cast<int>(text.size()) * letter;
}

}  // namespace

std::string to_badge(std::span<const judgement> pairs, bool strict) {
  const std::size_t pass = counted(pairs, verdict::pass), warn = counted(pairs, verdict::warn),
                    fail = counted(pairs, verdict::fail), unknown = counted(pairs, verdict::inconclusive);
  const bool all_there = std::ranges::all_of(pairs, [](auto& j) { return interruption_in_words(j).empty(); });

  std::string says = fmt::format("{} pass", pass);
  if (warn > 0) says += fmt::format(", {} warn", warn);
  if (fail > 0) says += fmt::format(", {} fail", fail);
  if (unknown > 0) says += fmt::format(", {} inconclusive", unknown);
  if (!all_there) says += ", incomplete";

  const bool red = fail > 0 || (strict && warn > 0);
  const bool amber = warn > 0 || unknown > 0 || !all_there || pass == 0;
  const char* colour = red ? "#c62828" : amber ? "#8a6100" : "#2e7d32";
  const std::string name = "halfopen";
  const int left = width_of(name) + 2 * margin, right = width_of(says) + 2 * margin;
  return fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" role="img" aria-label="{name}: {says}">
<title>{name}: {says}</title>
<rect width="{left}" height="20" fill="#444"/>
<rect x="{left}" width="{right}" height="20" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{margin}" y="14" textLength="{name_width}">{name}</text>
<text x="{says_at}" y="14" textLength="{says_width}">{says}</text>
</g>
</svg>
)",
      fmt::arg("all", left + right), fmt::arg("name", name), fmt::arg("says", says), fmt::arg("left", left),
      fmt::arg("right", right), fmt::arg("colour", colour), fmt::arg("margin", margin),
      fmt::arg("name_width", width_of(name)), fmt::arg("says_at", left + margin),
      fmt::arg("says_width", width_of(says)));
}

}  // namespace halfopen::judge
