#include "judge/html_ladder.hpp"

#include <algorithm>

namespace halfopen::judge {
namespace {

/// Shown at either end of a long exchange.
constexpr std::size_t shown = 40;

using arrow = report::ladder_arrow;

std::chrono::nanoseconds at(double ms) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(ms * 1e6));
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

}  // namespace

report::ladder ladder_of(const case_result& r) {
  report::ladder l;
  l.title = r.id + ": " + r.done;
  l.left = "client";
  l.right = "server";
  for (const drawn_packet& p : r.packets) {
    if (!between_the_two(p)) continue;
    arrow a;
    a.at = at(p.at_ms);
    a.number = p.number;
    a.from = p.from == "client" || p.to == "server" ? trace::side::opener : trace::side::responder;
    a.what = kind_of(p.label);
    a.label = p.label;
    l.arrows.push_back(std::move(a));
    for (const std::string& note : p.notes) l.marks.push_back({at(p.at_ms), note, std::nullopt});
  }
  for (const program_event& e : r.events)
    if (e.host == "client" || e.host == "server")
      l.marks.push_back({at(e.at_ms), "the " + e.host + "'s program: " + e.what,
                         e.host == "client" ? trace::side::opener : trace::side::responder});
  if (l.arrows.size() > 2 * shown) {
    l.left_out = l.arrows.size() - 2 * shown;
    l.arrows.erase(l.arrows.begin() + shown, l.arrows.end() - shown);
    l.left_out_before = shown;
    const auto from = l.arrows[shown - 1].at;
    const auto to = l.arrows[shown].at;
    std::erase_if(l.marks, [&](const report::ladder_mark& m) { return m.at > from && m.at < to; });
  }
  return l;
}

}  // namespace halfopen::judge
