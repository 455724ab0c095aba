#include "judge/html_ladder.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

namespace halfopen::judge {
namespace {

/// Shown at either end of a long exchange.
constexpr std::size_t shown = 40;

using arrow = report::ladder_arrow;

/// A file may say anything: what is no time of a case (a month) is its begin.
std::chrono::nanoseconds at(double ms) {
  constexpr double longest = 31.0 * 24 * 3600 * 1000;
  const bool sensible = std::isfinite(ms) && ms > 0 && ms < longest;
  return std::chrono::nanoseconds(sensible ? static_cast<std::int64_t>(ms * 1e6) : 0);
}

arrow::kind kind_of(const std::string& label) {
  if (label.starts_with("ICMP")) return arrow::kind::icmp;
  if (label.contains("RST")) return arrow::kind::reset;
  if (label.contains("SYN")) return arrow::kind::opening;
  if (label.contains("FIN")) return arrow::kind::closing;
  return label.contains("byte") ? arrow::kind::data : arrow::kind::ack;
}

bool between_the_two(const drawn_packet& p) {
  const auto one_of = [](const std::string& host) {
    return host == "client" || host == "server" || host == "router";
  };
  return one_of(p.from) && (one_of(p.to) || p.from == "client");
}

/// The packets that the case's proofs name: "RST from the server (packet 12)".
std::set<std::uint64_t> proofs_of(const case_result& r) {
  constexpr std::string_view before = "(packet ";
  std::set<std::uint64_t> numbers;
  for (const check& c : r.checks) {
    const auto at = c.what.rfind(before);
    std::uint64_t number = 0;
    if (!c.is_proof || at == std::string::npos) continue;
    std::from_chars(c.what.data() + at + before.size(), c.what.data() + c.what.size(), number);
    if (number != 0) numbers.insert(number);
  }
  return numbers;
}

/// When the fault was, as well as the result tells: from what was noted after it, else it is
/// what the first proof shows, else what the lab remarked first, or the
/// first end of a connection.
std::optional<double> fault_at(const case_result& r, const std::set<std::uint64_t>& proofs) {
  if (r.after && r.who == subject::client)
    for (const program_event& e : r.events)
      if (e.host == "client") return std::max(0.0, e.at_ms - static_cast<double>(r.after->count()));
  constexpr double just_before = 0.001;
  for (const drawn_packet& p : r.packets) {
    if (!p.notes.empty()) return p.at_ms;
    if (proofs.contains(p.number)) return p.at_ms - just_before;
  }
  for (const drawn_packet& p : r.packets)
    if (const auto what = kind_of(p.label);
        between_the_two(p) && (what == arrow::kind::reset || what == arrow::kind::closing))
      return p.at_ms - just_before;
  return std::nullopt;
}

void add_arrow(report::ladder& l, const drawn_packet& p, bool is_proof) {
  arrow a;
  a.at = at(p.at_ms);
  a.number = p.number;
  a.from = p.from == "client" || p.to == "server" ? trace::side::opener : trace::side::responder;
  a.what = kind_of(p.label);
  a.label = p.label;
  a.stressed = is_proof;
  a.lost = std::ranges::any_of(p.notes, [](const std::string& note) { return note.starts_with("lost"); });
  l.arrows.push_back(std::move(a));
  for (const std::string& note : p.notes) l.marks.push_back({at(p.at_ms), note, std::nullopt, false});
}

/// Of very many packets the middle ones go, and the remarks on them.
void leave_out_the_middle(report::ladder& l) {
  if (l.arrows.size() <= 2 * shown) return;
  l.left_out = l.arrows.size() - 2 * shown;
  l.arrows.erase(l.arrows.begin() + shown, l.arrows.end() - shown);
  l.left_out_before = shown;
  const auto from = l.arrows[shown - 1].at;
  const auto to = l.arrows[shown].at;
  std::erase_if(l.marks,
                [&](const report::ladder_mark& m) { return !m.stressed && m.at > from && m.at < to; });
}

}  // namespace

report::ladder ladder_of(const case_result& r) {
  report::ladder l;
  l.title = r.id + ": " + r.done;
  l.left = "client";
  l.right = "server";
  const auto proofs = proofs_of(r);
  if (const auto when = fault_at(r, proofs)) l.marks.push_back({at(*when), r.done, std::nullopt, true});
  for (const drawn_packet& p : r.packets)
    if (between_the_two(p)) add_arrow(l, p, proofs.contains(p.number));
  for (const program_event& e : r.events)
    if (e.host == "client" || e.host == "server")
      l.marks.push_back({at(e.at_ms), "the " + e.host + "'s program: " + e.what,
                         e.host == "client" ? trace::side::opener : trace::side::responder, false});
  leave_out_the_middle(l);
  return l;
}

}  // namespace halfopen::judge
