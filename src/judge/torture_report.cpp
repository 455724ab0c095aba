#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "judge/text_report.hpp"
#include "judge/torture.hpp"

namespace halfopen::judge {
namespace {

/// "packets 3-5", "bytes 0-12", "packet 7"
std::string places_in_words(const stretch& s) {
  const place first = parse_place(s.first->id).value();
  const place last = parse_place(s.last->id).value();
  const char* unit = first.in_reply ? "byte" : "packet";
  return s.places == 1 ? fmt::format("{} {}", unit, first.at)
                       : fmt::format("{}s {}-{}", unit, first.at, last.at);
}

/// What happened at the first place, and which packet that was.
std::string outcome_in_words(const case_result& r) {
  const place p = parse_place(r.id).value();
  std::string text = what_happened(r);
  const auto found = std::ranges::find(r.packets, p.at, &seen_packet::number);
  if (!p.in_reply && found != r.packets.end())
    text += fmt::format(" [packet {}: {} from the {}]", p.at, label_of(*found), found->from);
  return text;
}

}  // namespace

std::string torture_table(const judgement& j, const report::canvas& where) {
  std::string text;
  std::optional<place> group;
  for (const stretch& s : stretches_of(j.results)) {
    const case_result& r = *s.first;
    const place p = parse_place(r.id).value();
    if (!group || group->how != p.how || group->lost != p.lost)
      text += where.tinted(
                  fmt::format("{}: {}; judged: the {}", name_of(p), what_is_lost(p), to_string(r.subject)),
                  report::colour::bold) +
              "\n";
    group = p;
    text += verdict_row(fmt::format("{:<17}", places_in_words(s)), r.verdict, outcome_in_words(r), where);
  }
  return text;
}

judgement where_it_changes(const judgement& j) {
  judgement some = j;
  some.results.clear();
  for (const stretch& s : stretches_of(j.results)) some.results.push_back(*s.first);
  return some;
}

}  // namespace halfopen::judge
