#include "judge/text_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <vector>

#include "judge/case.hpp"
#include "judge/sentences.hpp"
#include "judge/system/outage_sentences.hpp"
#include "judge/torture.hpp"
#include "report/utf8.hpp"
#include "report/wrap.hpp"

namespace halfopen::judge {
namespace {

using report::colour;

/// In columns of the terminal.
constexpr std::size_t timeline_in_table = 26, wide_enough_for_timelines = 150;

constexpr std::array worst_first{verdict::fail, verdict::warn, verdict::inconclusive, verdict::pass,
                                 verdict::not_applicable};

std::size_t badness(verdict v) {
  return static_cast<std::size_t>(std::ranges::find(worst_first, v) - worst_first.begin());
}

struct group {
  const family* of = nullptr;  ///< null: cases that this program does not know, of another one's report
  std::vector<const case_result*> cases;
};

/// The families in the order of their worst case, and of the catalogue among equals.
std::vector<group> by_family(const judgement& j) {
  std::vector<group> groups;
  for (const family* f : catalogue()) groups.push_back({f, {}});
  groups.emplace_back();
  for (const case_result& r : j.results)
    std::ranges::find(groups, family_of(r.id), &group::of)->cases.push_back(&r);
  std::erase_if(groups, [](const group& g) { return g.cases.empty(); });
  for (group& g : groups)
    std::ranges::stable_sort(g.cases, {}, [](const case_result* r) { return badness(r->verdict); });
  std::ranges::stable_sort(groups, {}, [](const group& g) { return badness(g.cases.front()->verdict); });
  return groups;
}

/// "41 pass, 3 warn"
std::string counts_of(const std::vector<const case_result*>& results) {
  std::string text;
  for (const verdict v :
       {verdict::pass, verdict::warn, verdict::fail, verdict::inconclusive, verdict::not_applicable}) {
    const auto n = std::ranges::count_if(results, [v](const case_result* r) { return r->verdict == v; });
    if (n > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n, to_string(v));
  }
  return text;
}

std::string heading_of(const group& g) {
  return g.of == nullptr ? "other cases" : fmt::format("{}: {}", g.of->name, g.of->title);
}

/// "label       words", the words wrapped beside the label.
void paragraph(std::string& text, std::string_view label, const std::string& words, std::size_t width) {
  if (words.empty()) return;
  constexpr std::size_t indent = 14;
  const std::size_t room = std::max(width, indent + 20) - indent;
  bool first = true;
  for (const std::string& line : report::wrap(report::clean(words), room)) {
    text += fmt::format("  {:<12}{}\n", first ? label : std::string_view(), line);
    first = false;
  }
}

/// Columns that the cases' ids need; a file from elsewhere may have any.
std::size_t id_width(const std::vector<group>& groups) {
  constexpr std::size_t least = 11, most = 60;
  std::size_t widest = least;
  for (const group& g : groups)
    for (const case_result* r : g.cases)
      widest = std::max(widest, report::display_width(report::clean(r->id)));
  return std::min(widest, most);
}

std::string padded(const std::string& text, std::size_t width) {
  const std::string cut = report::clip(report::clean(text), width);
  return cut + std::string(width - report::display_width(cut), ' ');
}

/// Of an outage: the asks of its probe in so many columns.
std::string timeline_of(const case_result& r, std::size_t width) {
  if (r.asks.empty()) return {};
  return timeline_of(r.asks, r.back_after.value_or(milliseconds::zero()), width);
}

bool has_timeline(const case_result& r) {
  return !r.asks.empty();
}

bool is_shortcoming(const case_result& r) {
  return r.verdict != verdict::pass && r.verdict != verdict::not_applicable;
}

/// Each look, and what was found.
void looks(std::string& text, const case_result& r, std::size_t width) {
  for (const looked_at& l : r.looks)
    paragraph(text, to_string(l.at), fmt::format("{}: {}", to_string(l.verdict), l.words), width);
}

/// For windows in which what was done does not fit beside what happened.
std::string narrow_table(const std::vector<group>& groups, const report::canvas& where) {
  std::string text;
  const std::size_t width = id_width(groups);
  for (const group& g : groups) {
    text += where.tinted(heading_of(g), colour::bold) + "\n";
    for (const case_result* r : g.cases)
      text += verdict_row(fmt::format("{} {:<8}", padded(r->id, width), to_string(r->subject)), r->verdict,
                          what_happened(*r), where);
  }
  return text;
}

std::string wide_table(const std::vector<group>& groups, const report::canvas& where) {
  const bool timelines =
      where.width >= wide_enough_for_timelines && std::ranges::any_of(groups, [](const group& g) {
        return std::ranges::any_of(g.cases, [](const auto* r) { return has_timeline(*r); });
      });
  std::vector<report::column> columns{{.heading = "case", .min_width = id_width(groups)},
                                      {.heading = "subject", .min_width = 7},
                                      {.heading = "verdict", .min_width = 12},
                                      {.heading = "what was done", .min_width = 20, .weight = 2},
                                      {.heading = "what happened", .min_width = 24, .weight = 3}};
  if (timelines) columns.push_back({.heading = "timeline", .min_width = timeline_in_table});
  report::text_table table(std::move(columns));
  table.make_compact();
  for (const group& g : groups) {
    table.add_group(heading_of(g));
    for (const case_result* r : g.cases)
      table.add_row({r->id,
                     std::string(to_string(r->subject)),
                     {std::string(to_string(r->verdict)), tint_of(r->verdict)},
                     r->done,
                     what_happened(*r),
                     timeline_of(*r, timeline_in_table)});
  }
  return table.render(where);
}

}  // namespace

report::colour tint_of(verdict v) {
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

std::string verdict_row(const std::string& label, verdict v, const std::string& words,
                        const report::canvas& where) {
  constexpr std::size_t enough = 40, below = 6;
  const std::size_t beside = 2 + report::display_width(label) + std::string_view("inconclusive  ").size();
  const bool has_room = beside + enough <= where.width;
  const std::size_t indent = has_room ? beside : below;
  const auto lines = report::wrap(report::clean(words), std::max(where.width, indent + 24) - indent);
  std::string text = "  " + label;
  if (!has_room)
    text += where.tinted(to_string(v), tint_of(v)) + "\n" + std::string(indent, ' ') + lines.front() + "\n";
  else
    text += where.tinted(fmt::format("{:<13}", to_string(v)), tint_of(v)) + " " + lines.front() + "\n";
  for (std::size_t i = 1; i < lines.size(); ++i) text += std::string(indent, ' ') + lines[i] + "\n";
  return text;
}

std::string one_line(const case_result& r) {
  return report::clean(
      fmt::format("{} {}: {}: {}", r.id, to_string(r.subject), to_string(r.verdict), what_happened(r)));
}

std::string summary_table(const judgement& j, const report::canvas& where) {
  constexpr std::size_t wide_from = 120;
  const auto groups = by_family(j);
  if (where.width < wide_from) return narrow_table(groups, where);
  std::string text = wide_table(groups, where);
  const bool drawn = where.width >= wide_enough_for_timelines && std::ranges::any_of(j.results, has_timeline);
  const bool explained_below = std::ranges::any_of(
      j.results, [](const case_result& r) { return is_shortcoming(r) && has_timeline(r); });
  if (drawn && !explained_below) text += fmt::format("timeline: {}\n", timeline_legend());
  return text;
}

std::string family_table(const judgement& j, const report::canvas& where) {
  report::text_table table({{.heading = "family", .weight = 10},
                            {.heading = "cases", .weight = 10},
                            {.heading = "what happens", .min_width = 12}});
  table.make_list();
  for (const group& g : by_family(j)) {
    table.add_row({g.of == nullptr ? "others" : std::string(g.of->name),
                   {counts_of(g.cases), tint_of(g.cases.front()->verdict)},
                   g.of == nullptr ? "" : std::string(g.of->title)});
  }
  return table.render(where);
}

std::string shortcomings(const judgement& j, const report::canvas& where) {
  std::string text;
  bool explained = false;  // the signs of a timeline
  for (const group& g : by_family(j))
    for (const case_result* r : g.cases) {
      if (!is_shortcoming(*r)) continue;
      const std::string head =
          fmt::format("{} {}: {}", report::clean(r->id), to_string(r->subject), to_string(r->verdict));
      text += where.tinted(head, tint_of(r->verdict)) + "\n";
      paragraph(text, "rule", r->rule, where.width);
      paragraph(text, "done", r->done, where.width);
      paragraph(text, "peer", std::string(peer_in_words(*r)), where.width);
      paragraph(text, "expected", r->expected, where.width);
      paragraph(text, r->reason.empty() ? "happened" : "why", what_happened(*r), where.width);
      looks(text, *r, where.width);
      if (has_timeline(*r)) {
        constexpr std::size_t indent = 14, least = 20, most = 80;
        const std::size_t room = std::max(where.width, indent + least) - indent;
        text += fmt::format("  {:<12}{}\n", "timeline", timeline_of(*r, std::min(room, most)));
        if (!explained) paragraph(text, "", std::string(timeline_legend()), where.width);
        explained = true;
      }
      paragraph(text, "change", r->cure, where.width);
      // Not wrapped: these two are to be copied.
      if (!r->evidence.empty()) text += "  evidence    " + report::clean(r->evidence) + "\n";
      if (const auto repeat = repeat_command(j, *r); !repeat.empty())
        text += "  repeat      " + report::clean(repeat, report::newlines::kept) + "\n";
      text += "\n";
    }
  return text;
}

std::string repeat_command(const judgement& j, const case_result& r) {
  if (j.repeat.empty()) return {};
  const bool torture = r.id.starts_with(torture_prefix);
  return j.repeat + (torture ? " --replay " + shell_quoted(r.id.substr(torture_prefix.size()))
                             : " --case " + shell_quoted(r.id));
}

std::string ranges(std::span<const std::size_t> numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[i]);
    if (last > i) text += fmt::format("-{}", numbers[last]);
    i = last + 1;
  }
  return text;
}

std::string missing_shards_in_words(const judgement& j) {
  const auto missing = j.shards.missing();
  return missing.empty() ? "" : fmt::format("missing shards of {}: {}", j.shards.of, ranges(missing));
}

std::string interruption_in_words(const judgement& j) {
  // Who plays one shard knows that it is not all.
  if (j.shards.played.size() > 1 && !j.shards.missing().empty()) return missing_shards_in_words(j);
  if (!j.interrupted) return {};
  const std::size_t played = j.results.size();
  if (j.planned == 0) return fmt::format("interrupted: {} cases were played", played);
  return fmt::format("interrupted: {} of {} cases were played", played, std::max(j.planned, played));
}

std::string counts_in_words(const judgement& j) {
  std::vector<const case_result*> all;
  for (const case_result& r : j.results) all.push_back(&r);
  const std::string counts = all.empty() ? "no cases" : counts_of(all);
  const std::string lacks = interruption_in_words(j);
  if (lacks.empty()) return counts;
  return lacks + (all.empty() ? "" : ": " + counts);
}

std::string shell_quoted(const std::string& text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./:=@%+,").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'')
      quoted += "'\\''";
    else if ((byte < 0x20 && c != '\n') || byte == 0x7f)
      quoted += fmt::format("'\"$(printf '\\{:03o}')\"'", byte);
    else
      quoted += c;
  }
  return quoted + "'";
}

}  // namespace halfopen::judge
