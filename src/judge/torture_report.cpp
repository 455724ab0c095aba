#include <fmt/format.h>

#include <algorithm>
#include <string>

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

/// In the capture. Packets of a reconnection are counted from its first one on; the proof of the place has
/// its number.
std::uint64_t number_of(const place& p, const case_result& r) {
  if (!p.again) return p.at;
  const auto proof = std::ranges::find_if(r.checks, [](const check& c) { return c.packet.has_value(); });
  return proof == r.checks.end() ? 0 : *proof->packet;
}

/// What happened at the first place, and which packet that was.
std::string outcome_in_words(const case_result& r) {
  const place p = parse_place(r.id).value();
  std::string text = what_happened(r);
  const auto found = std::ranges::find(r.packets, number_of(p, r), &seen_packet::number);
  if (!p.in_reply && found != r.packets.end())
    text += fmt::format(" [packet {}: {} from the {}]", p.at, label_of(*found), found->from);
  return text;
}

}  // namespace

std::string torture_table(const judgement& j, const report::canvas& where) {
  std::string text;
  std::string group;
  for (const stretch& s : stretches_of(j.results)) {
    const case_result& r = *s.first;
    const place p = parse_place(r.id).value();
    const std::string_view link = without_link(r.id).second;
    const std::string title =
        fmt::format("{}{}: {}; judged: the {}", name_of(p), link.empty() ? "" : fmt::format(" on {}", link),
                    what_is_lost(p), to_string(r.subject));
    if (title != group) text += where.tinted(title, report::colour::bold) + "\n";
    group = title;
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
