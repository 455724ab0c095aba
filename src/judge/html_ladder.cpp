#include "judge/html_ladder.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "play/words.hpp"

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

arrow::kind kind_of(const seen_packet& p) {
  if (p.icmp != trace::unreachable::none) return arrow::kind::icmp;
  if ((p.flags & trace::rst) != 0) return arrow::kind::reset;
  if ((p.flags & trace::syn) != 0) return arrow::kind::opening;
  if ((p.flags & trace::fin) != 0) return arrow::kind::closing;
  return p.length > 0 ? arrow::kind::data : arrow::kind::ack;
}

bool between_the_two(const seen_packet& p) {
  const auto one_of = [](const std::string& host) {
    return host == "client" || host == "server" || host == "router";
  };
  return one_of(p.from) && (one_of(p.to) || p.from == "client");
}

std::set<std::uint64_t> proofs_of(const case_result& r) {
  std::set<std::uint64_t> numbers;
  for (const check& c : r.checks)
    if (c.is_proof && c.packet) numbers.insert(*c.packet);
  return numbers;
}

void add_arrow(report::ladder& l, const seen_packet& p, bool is_proof) {
  arrow a;
  a.at = at(p.at_ms);
  a.number = p.number;
  a.from = p.from == "client" || p.to == "server" ? trace::side::opener : trace::side::responder;
  a.what = kind_of(p);
  a.label = label_of(p);
  a.stressed = is_proof;
  a.lost = p.became == lab::passage::lost;
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
  if (r.fault_at_ms) l.marks.push_back({at(*r.fault_at_ms), r.done, std::nullopt, true});
  for (const seen_packet& p : r.packets)
    if (between_the_two(p)) add_arrow(l, p, proofs.contains(p.number));
  for (const program_end& e : r.ends)
    if (e.host == "client" || e.host == "server")
      l.marks.push_back({at(e.at_ms), "the " + e.host + "'s program: " + play::end_in_words(e.code, e.signal),
                         e.host == "client" ? trace::side::opener : trace::side::responder, false});
  leave_out_the_middle(l);
  return l;
}

}  // namespace halfopen::judge
