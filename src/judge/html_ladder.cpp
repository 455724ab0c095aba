#include "judge/html_ladder.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "judge/sentences.hpp"
#include "judge/system/system.hpp"
#include "play/words.hpp"

namespace halfopen::judge {
namespace {

/// Shown at either end of a long exchange.
constexpr std::ptrdiff_t shown = 40;

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

/// The hosts of a pair, or of a system, by their columns.
class columns {
 public:
  explicit columns(std::vector<std::string> hosts) : hosts_(std::move(hosts)) {}
  [[nodiscard]] std::optional<std::size_t> of(const std::string& host) const {
    const auto found = std::ranges::find(hosts_, host);
    if (found == hosts_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - hosts_.begin());
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return hosts_; }

 private:
  std::vector<std::string> hosts_;
};

struct ends {
  std::size_t from, to;
};

/// Of a pair the router has no column: what it says comes from the direction of the other one.
std::optional<ends> ends_in_pair(const seen_packet& p, const columns& where) {
  const auto from = where.of(p.from), to = where.of(p.to);
  if (from && to) return *from == *to ? std::nullopt : std::optional(ends{*from, *to});
  if (p.from == "router" && to) return ends{1 - *to, *to};
  if (from == 0U) return ends{0, 1};
  if (p.from == "server" && p.to == "router") return ends{1, 0};
  return std::nullopt;
}

std::optional<ends> ends_in_system(const seen_packet& p, const columns& where) {
  const auto from = where.of(p.from), to = where.of(p.to);
  if (!from || !to || *from == *to) return std::nullopt;
  return ends{*from, *to};
}

/// Whoever asks first; a host before those that it needs; what the description does not name, the router and
/// the host to which a name moves, last.
std::vector<std::string> order_of(const case_result& r, std::span<const judged_host> hosts) {
  constexpr std::size_t most = 8;
  std::vector<std::string> taking_part;
  for (const seen_packet& p : r.packets)
    for (const std::string* host : {&p.from, &p.to})
      if (*host != witness_host && std::ranges::count(taking_part, *host) == 0 && taking_part.size() < most)
        taking_part.push_back(*host);
  std::map<std::string, std::size_t> depth;
  for (std::size_t round = 0; round < std::min(hosts.size(), most); ++round)  // needs may form a ring
    for (const judged_host& h : hosts)
      for (const std::string& needed : h.needs)
        depth[needed] = std::max(depth[needed], std::min(depth[h.name] + 1, most));
  const auto rank = [&](const std::string& host) {
    if (host == user_host) return std::size_t{0};
    const bool named = std::ranges::count(hosts, host, &judged_host::name) > 0;
    return named ? 1 + depth[host] : most + 2;
  };
  std::ranges::stable_sort(taking_part, {}, rank);
  return taking_part;
}

std::set<std::uint64_t> proofs_of(const case_result& r) {
  std::set<std::uint64_t> numbers;
  for (const check& c : r.checks)
    if (c.is_proof && c.packet) numbers.insert(*c.packet);
  return numbers;
}

void add_arrow(report::ladder& l, const seen_packet& p, ends between, bool is_proof) {
  arrow a;
  a.at = at(p.at_ms);
  a.number = p.number;
  a.from = between.from;
  a.to = between.to;
  a.what = kind_of(p);
  a.label = label_of(p);
  a.stressed = is_proof;
  a.lost = p.became == lab::passage::lost;
  l.arrows.push_back(std::move(a));
  for (const std::string& note : p.notes) l.marks.push_back({at(p.at_ms), note, std::nullopt, false});
}

/// Of very many packets a report holds the first and the last: their numbers tell. A few that are missing are
/// those of others, and no TCP.
std::uint64_t missing_between(const arrow& a, const arrow& b) {
  constexpr std::uint64_t few = 100;
  return b.number > a.number + few ? b.number - a.number - 1 : 0;
}

/// Only some of the arrows; the marks between those that are missing go too.
void keep(report::ladder& l, const std::vector<bool>& wanted) {
  std::vector<arrow> kept;
  std::uint64_t missing = 0;
  auto from = std::chrono::nanoseconds(-1);  // the time of the last one that was kept
  const auto close_gap = [&](std::chrono::nanoseconds to) {
    if (missing == 0) return;
    std::erase_if(l.marks,
                  [&](const report::ladder_mark& m) { return !m.stressed && m.at > from && m.at < to; });
    l.left_out.push_back({kept.size(), missing});
    missing = 0;
  };
  for (std::size_t i = 0; i < l.arrows.size(); ++i) {
    if (i > 0) missing += missing_between(l.arrows[i - 1], l.arrows[i]);
    if (!wanted[i]) {
      ++missing;
      continue;
    }
    close_gap(l.arrows[i].at);
    from = l.arrows[i].at;
    kept.push_back(l.arrows[i]);
  }
  if (!l.arrows.empty()) close_gap(l.arrows.back().at);
  l.arrows = std::move(kept);
}

/// Of very many packets of a pair the middle ones go.
std::vector<bool> both_ends(const report::ladder& l) {
  std::vector<bool> wanted(l.arrows.size(), l.arrows.size() <= 2 * shown);
  if (wanted.size() <= 2 * shown) return wanted;
  std::fill_n(wanted.begin(), shown, true);
  std::fill_n(wanted.rbegin(), shown, true);
  return wanted;
}

/// Of a system's those stay that are near one of the moments, and the proofs.
std::vector<bool> around(const report::ladder& l, const std::vector<std::chrono::nanoseconds>& moments) {
  constexpr std::ptrdiff_t before = 12, after = 36;
  if (l.arrows.size() <= 2 * shown || moments.empty()) return both_ends(l);
  std::vector<bool> wanted;
  for (const arrow& a : l.arrows) wanted.push_back(a.stressed);
  for (const auto moment : moments) {
    const auto there = std::ranges::lower_bound(l.arrows, moment, {}, &arrow::at) - l.arrows.begin();
    for (auto i = std::max<std::ptrdiff_t>(0, there - before);
         i < std::min(there + after, std::ssize(wanted)); ++i)
      wanted[static_cast<std::size_t>(i)] = true;
  }
  return wanted;
}

std::chrono::nanoseconds since_fault(const case_result& r, milliseconds t) {
  return at(*r.fault_at_ms + static_cast<double>(t.count()));
}

/// Of the first ask that hung: the service let it wait.
void add_hung_ask(report::ladder_wait& w, const case_result& r) {
  const auto hung = std::ranges::find_if(
      r.asks, [](const ask& a) { return a.how == ask_end::hung && a.ended() > milliseconds::zero(); });
  if (hung == r.asks.end()) return;
  w.seen = since_fault(r, hung->ended());
  w.still = "an ask got no answer for " + in_words(hung->took);
}

/// Who is left waiting by the fault: the judged program.
std::optional<report::ladder_wait> wait_of(const case_result& r, const columns& where) {
  const auto on = where.of(r.subject == subject::service ? r.service : std::string(to_string(r.subject)));
  if (!r.fault_at_ms || !on) return std::nullopt;
  report::ladder_wait w{
      .on = *on, .from = at(*r.fault_at_ms), .still = still_in_words(r), .outlook = outlook_in_words(r)};
  if (!w.still.empty()) w.seen = since_fault(r, *r.still_waiting);
  if (r.subject == subject::service) add_hung_ask(w, r);
  const bool was_seen = r.length.how != hang_length::source::computed;
  if (const auto until = r.length.ends ? r.length.ends : r.length.watched;
      until && was_seen && !w.outlook.empty())
    w.outlook_seen = since_fault(r, *until);
  if (!w.seen && w.outlook.empty()) return std::nullopt;
  return w;
}

/// The fault, and the dependency's return.
std::vector<std::chrono::nanoseconds> moments_of(const case_result& r) {
  if (!r.fault_at_ms) return {};
  std::vector<std::chrono::nanoseconds> all{at(*r.fault_at_ms)};
  if (r.back_after && *r.back_after > milliseconds::zero())
    all.push_back(at(*r.fault_at_ms + static_cast<double>(r.back_after->count())));
  return all;
}

}  // namespace

report::ladder ladder_of(const case_result& r, std::span<const judged_host> hosts) {
  const bool of_system = r.subject == subject::service;
  const columns where(of_system ? order_of(r, hosts) : std::vector<std::string>{"client", "server"});
  report::ladder l;
  l.title = r.id + ": " + r.done;
  l.hosts = where.names();
  while (l.hosts.size() < 2) l.hosts.emplace_back();
  const auto proofs = proofs_of(r);
  if (r.fault_at_ms) l.marks.push_back({at(*r.fault_at_ms), r.done, std::nullopt, true});
  for (const seen_packet& p : r.packets)
    if (const auto between = of_system ? ends_in_system(p, where) : ends_in_pair(p, where))
      add_arrow(l, p, *between, proofs.contains(p.number));
  for (const program_end& e : r.ends)
    if (const auto on = where.of(e.host))
      l.marks.push_back(
          {at(e.at_ms), "the " + e.host + "'s program: " + play::end_in_words(e.code, e.signal), on, false});
  const auto moments = moments_of(r);
  if (of_system && moments.size() > 1)
    l.marks.push_back({moments.back(), r.dependency + " is back", where.of(r.dependency), false});
  l.wait = wait_of(r, where);
  std::ranges::stable_sort(l.arrows, {}, &arrow::at);
  keep(l, of_system ? around(l, moments) : both_ends(l));
  return l;
}

}  // namespace halfopen::judge
