#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "audit/cures.hpp"
#include "audit/report.hpp"
#include "audit/words.hpp"
#include "report/utf8.hpp"

namespace halfopen::audit {
namespace {

using report::colour;

std::string counted(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : what.ends_with("s") ? "es" : "s");
}

std::string idle_for(const group& g, const snapshot& s) {
  const auto& figures = s.sockets.at(g.sockets.front()).figures;
  if (g.state == socket_state::listen || g.state == socket_state::close || !figures || !figures->was_open())
    return "";
  if (g.sockets.size() == 1 || g.idle_most < g.idle_least * 2 + milliseconds(1000))
    return in_words(g.idle_most);
  return fmt::format("{} to {}", in_words(g.idle_least), in_words(g.idle_most));
}

report::cell notice_cell(const notice& n) {
  std::string text = in_words(n);
  if (n.least) text += fmt::format("\n{}", option_of(n.by));
  return {text, !n.known() ? colour::dim : n.least ? colour::none : colour::yellow};
}

report::cell idle_cell(const group& g) {
  if (g.state == socket_state::listen || g.state == socket_state::close) return "";
  if (g.same_host) return {"same host", colour::dim};
  return notice_cell(g.state == socket_state::syn_sent ? g.at_risk.connecting : g.at_risk.idle);
}

report::cell in_flight_cell(const group& g) {
  if (g.state != socket_state::established && g.state != socket_state::close_wait) return "";
  if (g.same_host) return "";
  return notice_cell(g.at_risk.in_flight);
}

report::cell faults_cell(const group& g) {
  std::string text;
  for (const fault& f : g.faults) {
    if (!text.empty()) text += '\n';
    text += in_words(f, g.sockets.size());
  }
  return {text, colour::red};
}

std::string state_in_words(const group& g) {
  if (g.state == socket_state::close) return "over";
  std::string text(to_string(g.state));
  if (g.bytes_in_flight > 0) text += fmt::format("\n{} B in flight", g.bytes_in_flight);
  return text;
}

/// The same cure is said once, with all whom it is for.
std::string what_to_change(const snapshot& s, std::span<const group> shown, const report_options& how,
                           const report::canvas& where) {
  std::vector<std::pair<std::string, std::vector<std::string>>> cures;
  for (const group& g : shown)
    for (std::string& cure : cures_of(g, how.within)) {
      auto found = std::ranges::find(cures, cure, [](const auto& c) { return c.first; });
      if (found == cures.end()) {
        cures.emplace_back(std::move(cure), std::vector<std::string>{});
        found = std::prev(cures.end());
      }
      std::string name = owner_of(g, s);
      if (std::ranges::find(found->second, name) == found->second.end())
        found->second.push_back(std::move(name));
    }
  if (cures.empty()) return {};
  report::text_table table(
      {{.heading = "what to change", .min_width = 12, .max_width = 26}, {.heading = "", .min_width = 30}});
  for (const auto& [cure, names] : cures) {
    constexpr std::size_t most = 4;
    std::string who =
        fmt::format("{}", fmt::join(std::span(names).first(std::min(most, names.size())), ", "));
    if (names.size() > most) who += fmt::format(" and {} more", names.size() - most);
    table.add_row({who, cure});
  }
  return "\n" + table.render(where);
}

std::string why_never_opened(const death& it) {
  const std::string again =
      it.repeated > 0 ? fmt::format(", SYN sent again {} time{}", it.repeated, it.repeated == 1 ? "" : "s")
                      : std::string();
  if (it.how) return fmt::format("never opened: {}{}", to_string(*it.how), again);
  if (it.by == closer::this_host) return "never opened: its program closed it" + again;
  return again.empty() ? "never opened: refused, or closed by its program"
                       : "never opened" + again + ", unanswered";
}

std::string by_whom(const death& it) {
  if (it.rst == reset::sent)
    return fmt::format(", this side sent a reset{}",
                       it.reason.empty() ? "" : " (" + in_words_of_reset(it.reason) + ")");
  switch (it.by) {
    case closer::this_host:
      return it.aborted ? ", by this side" : ", this side closed first";
    case closer::peer:
      return it.aborted ? ", the peer sent a reset" : ", the peer closed first";
    case closer::timer:
      return ", given up by the kernel";
    case closer::unknown:
      break;
  }
  return {};
}

std::string how_it_ended(const event& e) {
  const death& it = e.ended;
  if (!it.opened) return why_never_opened(it);
  std::string text = it.how                                     ? std::string(to_string(*it.how))
                     : it.aborted && it.rst != reset::not_known ? "aborted"
                     : it.aborted                               ? "aborted (a reset, by whom is not known)"
                                                                : "how is not known";
  if (it.or_else) text += fmt::format(" or {}", to_string(*it.or_else));
  text += by_whom(it);
  if (it.how != ending::completed && it.silence >= milliseconds(1000))
    text += fmt::format(", after {} of silence", in_words(it.silence));
  if (it.segments_repeated.value_or(0) > 0)
    text += fmt::format(", {} segment{} sent again", *it.segments_repeated,
                        *it.segments_repeated == 1 ? "" : "s");
  return text;
}

std::string what_changed(const event& e) {
  switch (e.what) {
    case event::kind::opened:
      if (e.socket.stays_on_host()) return "opened, on this host";
      return e.at_risk.idle.known()
                 ? fmt::format("opened; a vanished peer is noticed idle: {}, in flight: {}",
                               in_words(e.at_risk.idle), in_words(e.at_risk.in_flight))
                 : "opened";
    case event::kind::ended:
      return "ended: " + how_it_ended(e);
    case event::kind::wrong:
      return "wrong: " + in_words(e.found, 1);
    case event::kind::recovered:
      return fmt::format("no longer: {}", title_of(e.found.what));
  }
  return {};
}

}  // namespace

std::string line_of(const event& e) {
  const auto ms = std::chrono::duration_cast<milliseconds>(e.when.time_since_epoch()).count();
  const std::time_t second = ms / 1000;
  const std::string who = e.pid != 0       ? fmt::format("{} {}", report::clean(e.name), e.pid)
                          : e.name.empty() ? "(process not known)"
                                           : report::clean(e.name);
  const bool came_in = e.socket.opened_by == side::peer;
  const std::string where = e.socket.state == socket_state::listen
                                ? fmt::format("port {}", e.socket.local.port)
                                : fmt::format("{} {} {}", e.socket.local.to_string(), came_in ? "<-" : "->",
                                              e.socket.remote.to_string());
  return fmt::format("{:%H:%M:%S}.{:03d}  {}{}  {}  {}", fmt::localtime(second), ms % 1000, who,
                     e.network.empty() ? "" : " in " + e.network, where, what_changed(e));
}

std::string line_of(const passed& p) {
  std::uint64_t all = 0;
  std::vector<std::pair<std::uint64_t, std::string>> most;
  for (const auto& [name, n] : p) {
    all += n;
    if (!name.empty()) most.emplace_back(n, report::clean(name));
  }
  std::ranges::sort(most, std::greater{});
  if (most.size() > 3) most.resize(3);
  std::string names;
  for (const auto& [n, name] : most) names += fmt::format("{}{} of {}", names.empty() ? ": " : ", ", n, name);
  return fmt::format("{} connection{} came and went between two looks, and ended in order{}", all,
                     all == 1 ? "" : "s", names);
}

report::text_table rows_of(const snapshot& s, std::span<const group> all) {
  report::text_table table({{.heading = "process", .max_width = 24},
                            {.heading = "connections", .min_width = 14, .max_width = 44},
                            {.heading = "state", .max_width = 18},
                            {.heading = "idle for", .max_width = 18},
                            {.heading = "a vanished peer is noticed idle", .min_width = 9, .max_width = 20},
                            {.heading = "in flight", .min_width = 9, .max_width = 20},
                            {.heading = "wrong already", .min_width = 14, .max_width = 60, .weight = 2}});
  table.make_compact();
  for (const group& g : all) {
    std::string owner = owner_of(g, s);
    if (g.process != none && !s.processes[g.process].container.empty())
      owner += "\nin " + s.processes[g.process].container.substr(0, 12);
    else if (!s.networks.at(g.network).name.empty())
      owner += "\nin " + s.networks[g.network].name;
    table.add_row({owner, place_of(g), state_in_words(g), idle_for(g, s), idle_cell(g), in_flight_cell(g),
                   faults_cell(g)});
  }
  return table;
}

std::string not_seen(const snapshot& s) {
  std::map<obstacle, std::vector<std::string>> by_what;
  for (const hidden& h : s.not_seen)
    by_what[h.what].push_back(fmt::format("{} {}", report::clean(h.name), h.pid));
  std::string text;
  for (const auto& [what, names] : by_what) {
    constexpr std::size_t most = 5;
    text += fmt::format("Not seen of {}: {}{}: {}.\n", counted(names.size(), "process"),
                        fmt::join(std::span(names).first(std::min(most, names.size())), ", "),
                        names.size() > most ? ", ..." : "", in_words(what));
  }
  std::vector<std::string> closed;
  for (const network& n : s.networks)
    if (!n.listed && !n.name.empty()) closed.push_back(report::clean(n.name));
  if (!closed.empty())
    text += fmt::format("Not entered: network namespace{} {}: run as root, or with CAP_SYS_ADMIN.\n",
                        closed.size() == 1 ? "" : "s", fmt::join(closed, ", "));
  return text;
}

std::string sum_of(std::span<const group> all) {
  std::size_t connections = 0, never = 0, unknown = 0, broken = 0;
  std::set<std::uint32_t> processes;
  for (const group& g : all) {
    if (g.process != none) processes.insert(g.process);
    if (!g.faults.empty()) broken += g.sockets.size();
    if (g.state == socket_state::listen) continue;
    connections += g.sockets.size();
    if (g.same_host || g.state != socket_state::established) continue;
    if (!g.at_risk.idle.known())
      unknown += g.sockets.size();
    else if (!g.at_risk.idle.least)
      never += g.sockets.size();
  }
  std::string text =
      fmt::format("{} of {}: {} would never notice a vanished peer while idle",
                  counted(connections, "connection"), counted(processes.size(), "process"), never);
  if (unknown > 0) text += fmt::format(", of {} that is not known", unknown);
  return text + fmt::format("; {} wrong already.", broken);
}

std::string table_of(const snapshot& s, std::span<const group> all, const report_options& how,
                     const report::canvas& where) {
  const auto shown = how.top == 0 ? all : all.first(std::min(how.top, all.size()));
  std::string text;
  if (!shown.empty()) text = rows_of(s, shown).render(where);
  if (shown.size() < all.size())
    text += fmt::format("the worst {} of {} lines; more with --top, all with --top 0\n", shown.size(),
                        all.size());
  if (how.cures) text += what_to_change(s, shown, how, where);
  if (const std::string hidden = not_seen(s); !hidden.empty()) text += "\n" + hidden;
  return text + (text.empty() ? "" : "\n") + sum_of(all) + "\n";
}

}  // namespace halfopen::audit
