#include "situation/summary.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "situation/catalogue.hpp"

namespace halfopen::situation {
namespace {

std::string readable(std::chrono::milliseconds d) {
  char text[32];
  if (d < std::chrono::seconds(1))
    std::snprintf(text, sizeof text, "%lld ms", static_cast<long long>(d.count()));
  else
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(d.count()) / 1e3);
  return text;
}

const result* find(std::span<const result> results, std::string_view situation, std::string_view variant,
                   std::string_view pair) {
  const auto found = std::ranges::find_if(results, [&](const result& r) {
    return r.situation == situation && r.variant == variant && r.pair == pair;
  });
  return found == results.end() ? nullptr : &*found;
}

/// What a program saw, after how long, and how long it would be by default.
std::string saw_cell(const result* r) {
  if (r == nullptr) return "(not played)";
  if (r->what == verdict::broken) return "the lab failed: " + r->problem;
  std::string text = r->saw;
  if (r->after) text += ", after " + readable(*r->after);
  if (!r->by_default.empty()) text += "\n(computed: " + r->by_default + ")";
  return text;
}

/// What was done, and to which kernel settings.
std::string done_cell(const variant& v, const result* r) {
  std::string text(v.done);
  if (r == nullptr || r->settings.empty()) return text;
  text += "\n(";
  for (const std::string& s : r->settings) text += (text.ends_with('(') ? "" : ", ") + s;
  return text + ")";
}

std::string proofs_of(const result& r) {
  std::string text;
  for (const check& c : r.checks)
    if (c.is_proof) text += (text.empty() ? "" : "; ") + (c.holds ? c.what : "NOT SHOWN: " + c.what);
  return text;
}

std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

/// What the packets show: once where both runs show the same.
std::string packets_cell(const result* naive, const result* robust) {
  if (naive == nullptr || robust == nullptr) return proofs_of(naive != nullptr ? *naive : *robust);
  if (naive->checks.empty() || robust->checks.empty())
    return proofs_of(naive->checks.empty() ? *robust : *naive);
  const std::string first = proofs_of(*naive);
  const std::string second = proofs_of(*robust);
  if (without_numbers(first) == without_numbers(second)) return first;
  return "naive: " + first + "\nrobust: " + second;
}

report::cell verdict_cell(const result* naive, const result* robust) {
  std::string text;
  bool all_met = true;
  for (const result* r : {naive, robust}) {
    if (r == nullptr) continue;
    const bool met = r->what == verdict::met;
    all_met = all_met && met;
    text += (text.empty() ? "" : "\n") + r->pair + ": " + (met ? "pass" : to_string(r->what));
  }
  return all_met ? report::cell{"pass", report::colour::green} : report::cell{text, report::colour::red};
}

bool any_of_pair(std::span<const result> results, std::string_view pair) {
  return std::ranges::any_of(results, [&](const result& r) { return r.pair == pair; });
}

}  // namespace

std::string summary_table(std::span<const result> results, const report::canvas& where) {
  const bool naive_played = any_of_pair(results, "naive");
  const bool robust_played = any_of_pair(results, "robust");
  std::vector<report::column> columns{{.heading = "variant", .min_width = 12, .max_width = 18},
                                      {.heading = "what was done", .min_width = 16, .weight = 2},
                                      {.heading = "what the packets show", .min_width = 20, .weight = 4}};
  for (const auto& [played, heading] :
       {std::pair{naive_played, "the naive program saw"}, std::pair{robust_played, "the robust program saw"}})
    if (played) columns.push_back({.heading = heading, .min_width = 16, .weight = 3});
  columns.push_back({.heading = "lab", .min_width = 4, .max_width = 20});

  report::text_table table(std::move(columns));
  int number = 0;
  for (const situation* s : all_situations()) {
    ++number;
    bool headed = false;
    for (const variant& v : s->variants) {
      const result* naive = find(results, s->name, v.name, "naive");
      const result* robust = find(results, s->name, v.name, "robust");
      if (naive == nullptr && robust == nullptr) continue;
      if (!std::exchange(headed, true))
        table.add_group(std::to_string(number) + ". " + std::string(s->title) + " (" + std::string(s->name) +
                        ")");
      std::vector<report::cell> row{std::string(v.name), done_cell(v, naive != nullptr ? naive : robust),
                                    packets_cell(naive, robust)};
      if (naive_played) row.emplace_back(saw_cell(naive));
      if (robust_played) row.emplace_back(saw_cell(robust));
      row.push_back(verdict_cell(naive, robust));
      table.add_row(std::move(row));
    }
  }
  return table.render(where);
}

std::string one_line(const result& r) {
  std::string text = r.situation + "/" + r.variant + " " + r.pair + ": " + to_string(r.what);
  if (!r.saw.empty()) text += ": " + r.saw;
  return text + " (" + readable(r.took) + ")";
}

std::string shortcomings(std::span<const result> results) {
  std::string text;
  for (const result& r : results) {
    if (r.what == verdict::met) continue;
    text += r.situation + "/" + r.variant + " " + r.pair + ": " + to_string(r.what) + "\n";
    if (!r.problem.empty()) text += "  the lab failed: " + r.problem + "\n";
    for (const check& c : r.checks)
      if (!c.holds)
        text += std::string(c.is_proof ? "  not proved by packets: " : "  not as expected: ") + c.what + "\n";
    if (!r.saw.empty()) text += "  it saw: " + r.saw + "\n";
    for (const std::string& line : r.story) text += "  " + line + "\n";
    if (!r.evidence.empty()) text += "  evidence: " + r.evidence + "\n";
  }
  return text;
}

}  // namespace halfopen::situation
