#include <fmt/format.h>

#include <algorithm>

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
  const auto found = std::ranges::find(r.packets, p.at, &drawn_packet::number);
  if (!p.in_reply && found != r.packets.end())
    text += fmt::format(" [packet {}: {} from the {}]", p.at, found->label, found->from);
  return text;
}

std::string loss_of(const case_result& r) {
  return r.id.substr(torture_prefix.size(), r.id.find('@') - torture_prefix.size());
}

}  // namespace

std::string torture_table(const judgement& j, const report::canvas& where) {
  std::string text;
  std::string group;
  for (const stretch& s : stretches_of(j.results)) {
    const case_result& r = *s.first;
    if (loss_of(r) != group) {
      group = loss_of(r);
      text += where.tinted(fmt::format("{}: {}; judged: the {}", group,
                                       r.done.substr(0, r.done.rfind(" when ")), to_string(r.who)),
                           report::colour::bold) +
              "\n";
    }
    text += verdict_row(fmt::format("{:<17}", places_in_words(s)), r.what, outcome_in_words(r), where);
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
