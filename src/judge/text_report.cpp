#include "judge/text_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <vector>

#include "judge/case.hpp"
#include "report/wrap.hpp"

namespace halfopen::judge {
namespace {

using report::colour;

constexpr std::array worst_first{verdict::fail, verdict::warn, verdict::inconclusive, verdict::pass,
                                 verdict::not_applicable};

std::size_t badness(verdict v) {
  return static_cast<std::size_t>(std::ranges::find(worst_first, v) - worst_first.begin());
}

colour tint_of(verdict v) {
  switch (v) {
    case verdict::pass:
      return colour::green;
    case verdict::warn:
      return colour::yellow;
    case verdict::fail:
      return colour::red;
    case verdict::inconclusive:
      return colour::magenta;
    case verdict::not_applicable:
      return colour::dim;
  }
  return colour::none;
}

/// The families in the order of their worst case, and of the catalogue among equals.
std::vector<std::pair<const family*, std::vector<const case_result*>>> by_family(const judgement& j) {
  std::vector<std::pair<const family*, std::vector<const case_result*>>> groups;
  for (const family* f : catalogue()) {
    std::vector<const case_result*> cases;
    for (const case_result& r : j.results)
      if (family_of(r.id) == f) cases.push_back(&r);
    std::ranges::stable_sort(cases, {}, [](const case_result* r) { return badness(r->what); });
    if (!cases.empty()) groups.emplace_back(f, std::move(cases));
  }
  std::ranges::stable_sort(groups, {}, [](const auto& g) { return badness(g.second.front()->what); });
  return groups;
}

std::string what_happened(const case_result& r) {
  return r.reason.empty() ? r.happened : r.reason;
}

void paragraph(std::string& text, std::string_view label, const std::string& words, std::size_t width) {
  if (words.empty()) return;
  constexpr std::size_t indent = 14;
  bool first = true;
  for (const std::string& line : report::wrap(words, std::max<std::size_t>(20, width - indent))) {
    text += fmt::format("  {:<12}{}\n", first ? label : std::string_view(), line);
    first = false;
  }
}

}  // namespace

std::string one_line(const case_result& r) {
  return fmt::format("{} {}: {}: {}", r.id, to_string(r.who), to_string(r.what), what_happened(r));
}

std::string summary_table(const judgement& j, const report::canvas& where) {
  report::text_table table({{.heading = "case", .min_width = 10},
                            {.heading = "subject", .min_width = 7},
                            {.heading = "verdict", .min_width = 12},
                            {.heading = "what was done", .min_width = 20, .weight = 2},
                            {.heading = "what happened", .min_width = 24, .weight = 3}});
  for (const auto& [f, cases] : by_family(j)) {
    table.add_group(fmt::format("{}: {}", f->name, f->title));
    for (const case_result* r : cases)
      table.add_row({r->id,
                     std::string(to_string(r->who)),
                     {std::string(to_string(r->what)), tint_of(r->what)},
                     r->done,
                     what_happened(*r)});
  }
  return table.render(where);
}

std::string shortcomings(const judgement& j, const std::string& command, const report::canvas& where) {
  std::string text;
  for (const auto& [f, cases] : by_family(j))
    for (const case_result* r : cases) {
      if (r->what == verdict::pass || r->what == verdict::not_applicable) continue;
      std::string head = fmt::format("{} {}: {}", r->id, to_string(r->who), to_string(r->what));
      text += (where.colours ? report::painted(head, tint_of(r->what)) : head) + "\n";
      paragraph(text, "done", r->done, where.width);
      paragraph(text, "rule", r->rule, where.width);
      paragraph(text, "expected", r->expected, where.width);
      paragraph(text, r->reason.empty() ? "happened" : "why", what_happened(*r), where.width);
      paragraph(text, "change", r->cure, where.width);
      if (!r->evidence.empty()) text += "  evidence    " + r->evidence + "\n";
      text += "  repeat      " + command + " --case " + r->id + "\n\n";
    }
  return text;
}

std::string counts_in_words(const judgement& j) {
  std::string text;
  for (const verdict v :
       {verdict::pass, verdict::warn, verdict::fail, verdict::inconclusive, verdict::not_applicable})
    if (const auto n = count(j.results, v); n > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n, to_string(v));
  return text.empty() ? "no cases" : text;
}

std::string shell_quoted(const std::string& text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./:=@%+,").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace halfopen::judge
