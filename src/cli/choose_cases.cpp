#include "cli/choose_cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/usage_error.hpp"
#include "judge/torture.hpp"

namespace halfopen::cli {
namespace {

using cases = std::vector<const judge::judge_case*>;

/// More are hours, and a slip of the hand more often than a wish.
constexpr std::size_t most_places = 5000;

/// One that is asked for twice is played once.
void add(cases& all, const judge::judge_case& c) {
  if (std::ranges::find(all, &c) == all.end()) all.push_back(&c);
}

cases matching(const std::string& pattern, const cases& all) {
  cases found = judge::find_cases(pattern, all);
  if (!all.front()->outage) {
    if (const auto place = judge::parse_place(pattern); found.empty() && place && !place->again)
      found.push_back(&judge::case_at(*place));
    if (const auto* one = judge::parse_case_at(pattern); found.empty() && one != nullptr)
      found.push_back(one);
  }
  if (!found.empty()) return found;
  const bool torture = all.front()->id.starts_with(judge::torture_prefix);
  throw usage_error("'" + pattern + "' matches no case; " +
                    (torture && all.front()->outage ? "those of a torture are named kill-again@7, cut-again@3"
                     : torture ? "those of a torture are named kill-server@7, cut-server@b12"
                               : "halfopen test --dry-run lists them all"));
}

std::vector<std::string> wanted(const test_arguments& a) {
  std::vector<std::string> patterns = a.cases;
  for (const std::string& place : a.replay) {
    if (!judge::parse_place(place))
      throw usage_error(
          "--replay " + place +
          ": expected a loss, a peer and a place, such as kill-server@7 (packet 7) or "
          "cut-server@b12 (12 bytes of the reply), or of a service kill-again@7; kill, reset, crash, "
          "reboot, cut");
    patterns.push_back(place);
  }
  return patterns.empty() ? std::vector<std::string>{"*"} : patterns;
}

cases choose(const test_arguments& a, const cases& all) {
  cases chosen;
  for (const std::string& pattern : wanted(a))
    for (const auto* c : matching(pattern, all)) add(chosen, *c);
  for (const std::string& pattern : a.skip)
    for (const auto* c : matching(pattern, all)) std::erase(chosen, c);
  if (a.subject != "both")
    std::erase_if(chosen, [&](const auto* c) { return judge::to_string(c->subject) != a.subject; });
  if (!a.shard.empty()) chosen = judge::part_of(chosen, a.known_costs, parse_shard(a.shard));
  if (chosen.empty()) throw usage_error("no case is left to play");
  return chosen;
}

/// Those of a torture that are asked for by name, on that link.
std::vector<judge::place> places_named(const test_arguments& a, const judge::link& l) {
  std::vector<judge::place> all;
  for (const std::string& pattern : wanted(a)) {
    const auto [name, link] = judge::without_link(pattern);
    const auto place = judge::parse_place(name);
    if (place && place->again && (link.empty() || link == l.name())) all.push_back(*place);
  }
  return all;
}

/// More of them are hours.
cases some_of(const test_arguments& a, cases chosen) {
  if (a.sample != 0) chosen = judge::sample(chosen, a.sample, a.guest.seed);
  if (chosen.size() > most_places)
    throw usage_error(
        fmt::format("the exchange has {} places to lose a peer at, more than {}: say --sample N",
                    chosen.size(), most_places));
  return chosen;
}

}  // namespace

judge::shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  unsigned index = 0;
  unsigned of = 0;
  int end = 0;
  if (std::sscanf(text.c_str(), "%u/%u%n", &index, &of, &end) != 2 || end != static_cast<int>(text.size()) ||
      index < 1 || index > of || of > judge::most_shards)
    throw usage_error("--shard " + text + ": expected I/N with 1 <= I <= N, such as 2/3");
  return {index - 1, of};
}

cases cases_of_catalogue(const test_arguments& a) {
  return choose(a, judge::all_cases());
}

cases outages_of(const test_arguments& a, const judge::system& what) {
  cases all;
  for (const judge::link& l : what.links())
    for (const auto* c : judge::all_outages()) all.push_back(&judge::on_link(*c, l.from, l.to));
  for (const judge::link& l : what.links())
    for (const judge::place& p : places_named(a, l))
      all.push_back(&judge::on_link(judge::case_at(p), l.from, l.to));
  return choose(a, all);
}

void check_place(const std::string& option, const std::string& text) {
  const bool number =
      !text.empty() && text.size() < 5 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!text.empty() && text != "all" && (!number || std::stoul(text) == 0))
    throw usage_error(option + " " + text + ": expected a number from 1 on, or all");
}

cases at_requests(const cases& chosen, const judge::baseline& base, const std::string& which) {
  const std::size_t all = base.said.main().requests().size();
  cases made;
  for (const auto* c : chosen) {
    if (!c->at_a_request || c->request != 0 || all == 0) {
      add(made, *c);
    } else if (which == "all") {
      for (std::size_t n = 1; n <= all; ++n) add(made, judge::at_request(*c, n));
    } else if (!which.empty()) {
      add(made, judge::at_request(*c, std::stoul(which)));
    } else {
      add(made, *c);
      if (base.last_awaited > 0) add(made, judge::at_request(*c, 1));
    }
  }
  return made;
}

cases at_places(const cases& chosen, const judge::baseline& base, const std::string& request,
                const std::string& connection) {
  const std::size_t all = base.said.connections.size();
  if (connection.empty() || all < 2) return at_requests(chosen, base, request);
  const std::size_t first = connection == "all" ? 1 : std::stoul(connection);
  const std::size_t last = connection == "all" ? all : first;
  cases made;
  for (const auto* c : chosen) {
    const bool on_each = judge::falls_on_a_connection(*c) && c->connection == 0;
    for (std::size_t n = on_each ? first : c->connection; n <= (on_each ? last : c->connection); ++n)
      for (const auto* one : at_requests({c}, base.falling_on(n), request))
        add(made, on_each ? judge::at_connection(*one, n) : *one);
  }
  return made;
}

cases cases_of_torture(const test_arguments& a, const judge::baseline& base) {
  std::optional<std::size_t> reply;
  if (a.torture == "bytes" && base.said.main().request()) reply = base.reply.least;
  cases all;
  for (const judge::place& p : judge::all_places(base.packets, reply)) all.push_back(&judge::case_at(p));
  return some_of(a, choose(a, all));
}

cases cases_of_torture(const test_arguments& a, const judge::system& what, const judge::steady_state& usual) {
  cases all;
  for (const judge::link& l : what.links())
    for (const judge::place& p : judge::all_places_again(usual.packets.at(l.name())))
      all.push_back(&judge::on_link(judge::case_at(p), l.from, l.to));
  return some_of(a, choose(a, all));
}

}  // namespace halfopen::cli
