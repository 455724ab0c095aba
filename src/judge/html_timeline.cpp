#include "judge/html_timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "play/words.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

using play::in_words;
using report::timeline;
using report::timeline_mark;

timeline_mark::kind kind_of(ask_end e) {
  switch (e) {
    case ask_end::served:
      return timeline_mark::kind::good;
    case ask_end::refused:
      return timeline_mark::kind::poor;
    case ask_end::wrong:
      return timeline_mark::kind::wrong;
    case ask_end::hung:
      return timeline_mark::kind::stuck;
    case ask_end::cut_short:
      return timeline_mark::kind::unfinished;
  }
  return timeline_mark::kind::unfinished;
}

/// "2.3 s after the fault"
std::string when(milliseconds at, const case_result& r) {
  if (at < milliseconds::zero()) return in_words(-at) + " before the fault";
  const milliseconds back = r.back_after.value_or(milliseconds::zero());
  if (back > milliseconds::zero() && at >= back)
    return fmt::format("{} after {} was back", in_words(at - back), r.dependency);
  return in_words(at) + " after the fault";
}

timeline_mark mark_of(const ask& a, const case_result& r) {
  constexpr std::size_t longest = 200;  // characters
  std::string words =
      fmt::format("asked {}: {} after {}", when(a.begun, r), to_string(a.how), in_words(a.took));
  if (!a.says.empty()) words += ": " + report::clip(report::clean(a.says), longest);
  return {a.begun, a.ended(), kind_of(a.how), std::move(words)};
}

std::string words_of(const dependency_connection& c, const case_result& r) {
  const std::string opened = "opened " + when(c.opened, r);
  const std::string ended = c.ended ? " " + when(*c.ended, r) : std::string();
  switch (c.how) {
    case connection_end::open:
      return opened + ", and no packet ended it";
    case connection_end::closed:
      return opened + ", closed (FIN)" + ended;
    case connection_end::reset:
      return opened + ", reset (RST)" + ended;
    case connection_end::refused:
      return "tried " + when(c.opened, r) + ", refused (RST)";
    case connection_end::unanswered:
      return "tried " + when(c.opened, r) + ", not answered";
  }
  return opened;
}

timeline_mark mark_of(const dependency_connection& c, const case_result& r, milliseconds last) {
  const bool attempt = c.how == connection_end::refused || c.how == connection_end::unanswered;
  return {c.opened, c.ended.value_or(std::max(c.opened, last)),
          attempt ? timeline_mark::kind::poor : timeline_mark::kind::line, words_of(c, r), !c.ended};
}

/// The last thing that is known of.
milliseconds end_of(const case_result& r) {
  milliseconds last = r.back_after.value_or(milliseconds::zero());
  for (const ask& a : r.asks) last = std::max(last, a.ended());
  return last;
}

/// A program's end, in milliseconds from the fault; a file may say anything.
std::optional<milliseconds> since_fault(const case_result& r, double at_ms) {
  const double ms = at_ms - r.fault_at_ms.value_or(0);
  constexpr double longest = 366.0 * 24 * 3600 * 1000;
  if (!std::isfinite(ms) || ms < 0 || ms > longest) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(ms));
}

}  // namespace

timeline timeline_of(const case_result& r) {
  timeline t{.title = r.id + ": " + r.done, .zero = "fault", .turn_words = {}, .rows = {}};
  if (r.back_after && *r.back_after > milliseconds::zero()) {
    t.turn = r.back_after;
    t.turn_words = fmt::format("{} is back after {}", r.dependency, in_words(*r.back_after));
  }
  for (const probe_kind kind : {probe_kind::probe, probe_kind::health, probe_kind::other}) {
    report::timeline_row row{std::string(to_string(kind)), {}};
    for (const ask& a : r.asks)
      if (a.what == kind) row.marks.push_back(mark_of(a, r));
    if (!row.marks.empty()) t.rows.push_back(std::move(row));
  }
  report::timeline_row connections{fmt::format("connections to {}", r.dependency), {}};
  // One that was open long before begins at the edge.
  const milliseconds last = end_of(r);
  milliseconds first = -milliseconds(100);
  for (const ask& a : r.asks) first = std::min(first, a.begun);
  for (dependency_connection c : r.connections) {
    timeline_mark m = mark_of(c, r, last);
    m.from = std::max(m.from, first);
    connections.marks.push_back(std::move(m));
  }
  if (!connections.marks.empty()) t.rows.push_back(std::move(connections));
  for (const program_end& e : r.ends)
    if (const auto at = since_fault(r, e.at_ms))
      t.moments.push_back(
          {*at, fmt::format("the program on {} ended: {}", e.host, play::end_in_words(e.code, e.signal))});
  return t;
}

const std::vector<report::timeline_key>& timeline_keys() {
  static const std::vector<report::timeline_key> keys{
      {timeline_mark::kind::good, "served"},          {timeline_mark::kind::poor, "refused"},
      {timeline_mark::kind::stuck, "hung"},           {timeline_mark::kind::wrong, "wrong answer"},
      {timeline_mark::kind::unfinished, "not ended"}, {timeline_mark::kind::line, "connected"}};
  return keys;
}

}  // namespace halfopen::judge
