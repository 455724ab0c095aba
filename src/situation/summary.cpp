#include "situation/summary.hpp"

#include <algorithm>
#include <ranges>
#include <utility>
#include <vector>

#include "play/words.hpp"
#include "situation/catalogue.hpp"
#include "situation/endings_table.hpp"
#include "situation/tally.hpp"

namespace halfopen::situation {
namespace {

/// "after 4 ms", "after 1 ms to 4 ms"
std::string after(const outcome& o) {
  if (!o.soonest) return {};
  const std::string soonest = play::in_words(*o.soonest);
  const std::string latest = play::in_words(*o.latest);
  return ", after " + soonest + (latest == soonest ? "" : " to " + latest);
}

/// What a program saw, after how long, and how long it would be by default; of several
/// rounds, how often it saw what.
std::string saw_cell(const rounds& played) {
  constexpr std::size_t most = 4;  // outcomes with a line of their own
  if (played.empty()) return "(not played)";
  const auto outcomes = outcomes_of(played);
  std::string text;
  for (const outcome& o : outcomes | std::views::take(most)) {
    if (!text.empty()) text += "\n";
    if (played.size() > 1) text += std::to_string(o.times) + " of " + std::to_string(played.size()) + ": ";
    text += o.what + after(o);
  }
  if (outcomes.size() > most) text += "\nand " + std::to_string(outcomes.size() - most) + " more";
  const std::string& by_default = played.front()->by_default;
  if (!by_default.empty())
    text += (played.front()->by_default_measured ? "\n(measured: " : "\n(computed: ") + by_default + ")";
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
    if (c.is_proof && !text.ends_with(play::in_words(c)))
      text += (text.empty() ? "" : "; ") + (c.holds ? "" : std::string("NOT SHOWN: ")) + play::in_words(c);
  return text;
}

const result* first_of(const rounds& played) {
  return played.empty() ? nullptr : played.front();
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

report::cell verdict_cell(const rounds& naive, const rounds& robust) {
  std::string text;
  bool all_met = true;
  for (const rounds* played : {&naive, &robust})
    for (const auto& [v, times] : verdicts_of(*played)) {
      all_met = all_met && v == verdict::met;
      text += (text.empty() ? "" : "\n") + played->front()->pair + ": ";
      if (played->size() > 1) text += std::to_string(times) + " ";
      text += v == verdict::met ? "pass" : to_string(v);
    }
  return all_met ? report::cell{"pass", report::colour::green} : report::cell{text, report::colour::red};
}

/// In one line: what the program saw, in most rounds.
std::string saw_line(const rounds& played) {
  std::string text = saw_cell(played);
  if (outcomes_of(played).size() > 1) text = text.substr(0, text.find('\n')) + "; and otherwise";
  return text;
}

/// In one line: whose runs were not as expected.
report::cell verdict_line(const rounds& naive, const rounds& robust) {
  std::string text;
  for (const rounds* played : {&naive, &robust})
    for (const auto& [v, times] : verdicts_of(*played)) {
      if (v == verdict::met) continue;
      text += (text.empty() ? "" : ", ") + played->front()->pair + ": ";
      if (played->size() > 1) text += std::to_string(times) + " ";
      text += to_string(v);
    }
  return text.empty() ? report::cell{"pass", report::colour::green} : report::cell{text, report::colour::red};
}

bool any_of_pair(std::span<const result> results, std::string_view pair) {
  return std::ranges::any_of(results, [&](const result& r) { return r.pair == pair; });
}

}  // namespace

std::string overview(std::span<const result> results, const report::canvas& where) {
  constexpr std::size_t room_for_both = 130;
  const bool naive_played = any_of_pair(results, "naive");
  const bool robust_shown = any_of_pair(results, "robust") && (!naive_played || where.width >= room_for_both);
  constexpr unsigned first = 100;  // these columns get what they want, what was seen the rest
  std::vector<report::column> columns{{.heading = "  variant", .weight = first},
                                      {.heading = "lab", .weight = first}};
  for (const auto& [shown, heading] :
       {std::pair{naive_played, "the naive program saw"}, std::pair{robust_shown, "the robust program saw"}})
    if (shown) columns.push_back({.heading = heading, .min_width = 24});
  report::text_table table(std::move(columns));
  table.make_list();
  for (const situation* s : all_situations()) {
    bool headed = false;
    for (const variant& v : s->variants) {
      const rounds naive = rounds_of(results, s->name, v.name, "naive");
      const rounds robust = rounds_of(results, s->name, v.name, "robust");
      if (naive.empty() && robust.empty()) continue;
      if (!std::exchange(headed, true)) table.add_group(heading_of(*s));
      std::vector<report::cell> row{"  " + std::string(v.name), verdict_line(naive, robust)};
      if (naive_played) row.emplace_back(saw_line(naive));
      if (robust_shown) row.emplace_back(saw_line(robust));
      table.add_row(std::move(row));
    }
  }
  return table.render(where);
}

std::vector<result> of_what_was_not_met(std::span<const result> results) {
  std::vector<result> found;
  for (const result& r : results)
    if (std::ranges::any_of(results, [&](const result& other) {
          return other.situation == r.situation && other.variant == r.variant &&
                 other.verdict != verdict::met;
        }))
      found.push_back(r);
  return found;
}

std::string summary_table(std::span<const result> results, const report::canvas& where) {
  const bool naive_played = any_of_pair(results, "naive");
  const bool robust_played = any_of_pair(results, "robust");
  std::vector<report::column> columns{{.heading = "variant", .min_width = 12, .max_width = 18},
                                      {.heading = "what was done", .min_width = 16, .weight = 2},
                                      {.heading = "what the packets show", .min_width = 20, .weight = 4}};
  for (const auto& [played, heading] :
       {std::pair{naive_played, "the naive program saw"}, std::pair{robust_played, "the robust program saw"}})
    if (played) columns.push_back({.heading = heading, .min_width = 16, .weight = 3});
  const bool with_views = robust_played && where.width < report::narrow_below;
  if (with_views) columns.push_back({.heading = "agree", .min_width = 20});
  columns.push_back({.heading = "lab", .min_width = 4, .max_width = 20});

  report::text_table table(std::move(columns));
  for (const situation* s : all_situations()) {
    bool headed = false;
    for (const variant& v : s->variants) {
      const rounds naive = rounds_of(results, s->name, v.name, "naive");
      const rounds robust = rounds_of(results, s->name, v.name, "robust");
      if (naive.empty() && robust.empty()) continue;
      if (!std::exchange(headed, true)) table.add_group(heading_of(*s));
      std::vector<report::cell> row{std::string(v.name),
                                    done_cell(v, first_of(naive.empty() ? robust : naive)),
                                    packets_cell(first_of(naive), first_of(robust))};
      if (naive_played) row.emplace_back(saw_cell(naive));
      if (robust_played) row.emplace_back(saw_cell(robust));
      if (with_views) row.push_back(robust.empty() ? report::cell("") : views_cell(robust));
      row.push_back(verdict_cell(naive, robust));
      table.add_row(std::move(row));
    }
  }
  return table.render(where);
}

std::string one_line(const result& r) {
  std::string text = id_of(r) + ": " + to_string(r.verdict);
  if (!r.saw.empty()) text += ": " + r.saw;
  return text + " (" + play::in_words(r.took) + ")";
}

std::string shortcomings(std::span<const result> results) {
  std::string text;
  for (const result& r : results) {
    if (r.verdict == verdict::met || r.verdict == verdict::not_applicable) continue;
    text += id_of(r) + ": " + to_string(r.verdict) + "\n";
    if (!r.problem.empty()) text += "  the lab failed: " + r.problem + "\n";
    for (const check& c : r.checks)
      if (!c.holds)
        text += std::string(c.is_proof ? "  not proved by packets: " : "  not as expected: ") +
                play::in_words(c) + "\n";
    if (!r.saw.empty()) text += "  it saw: " + r.saw + "\n";
    for (const std::string& line : r.story) text += "  " + line + "\n";
    if (!r.evidence.empty()) text += "  evidence: " + r.evidence + "\n";
  }
  return text;
}

}  // namespace halfopen::situation
