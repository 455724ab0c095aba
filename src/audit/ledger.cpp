#include "audit/ledger.hpp"

#include <array>
#include <utility>

namespace halfopen::audit {
namespace {

std::uint32_t bit(wrong w) {
  return 1U << static_cast<unsigned>(w);
}

/// Not told of when they come and go: an open connection ends, and a listener stays.
bool is_connection(const tcp_socket& s) {
  return s.state != socket_state::listen && s.state != socket_state::close;
}

/// Where no look has told.
void add_traced(event& e, const traced& t) {
  if (e.pid == 0 && e.name.empty()) {
    e.pid = t.pid;
    e.name = t.name;
  }
  if (e.between_looks || e.socket.remote.port == 0) {
    e.socket.local = t.local;
    e.socket.remote = t.remote;
  }
  if (e.socket.opened_by == side::unknown) e.socket.opened_by = t.opened_by;
}

}  // namespace

std::string_view to_string(event::kind k) noexcept {
  static constexpr std::array<std::string_view, 4> names{"opened", "ended", "wrong", "recovered"};
  const auto i = static_cast<std::size_t>(k);
  return i < names.size() ? names[i] : "?";
}

// A look may show a connection while it ends, or afterwards in its descriptor: then there are no options to
// be read, and no opener. What would have ended it, and who opened it, is what was seen before.
void ledger::entry::see(const tcp_socket& now, const risk& would) {
  if (would.idle.known() || would.in_flight.known() || would.connecting.known()) at_risk = would;
  if (now.state == socket_state::close && socket.cookie != 0) return;
  const side opener = now.opened_by == side::unknown ? socket.opened_by : now.opened_by;
  socket = now;
  socket.opened_by = opener;
}

event ledger::about(const entry& e, event::kind what, clock::time_point now) const {
  event told;
  told.what = what;
  told.when = now;
  told.socket = e.socket;
  told.pid = e.pid;
  told.name = e.name;
  told.network = e.network;
  told.at_risk = e.at_risk;
  return told;
}

void ledger::compare(entry& e, const std::vector<fault>& faults, clock::time_point now,
                     const take_event& tell) const {
  std::uint32_t bits = 0;
  for (const fault& f : faults) {
    bits |= bit(f.what);
    if ((e.faults & bit(f.what)) != 0) continue;
    event told = about(e, event::kind::wrong, now);
    told.found = f;
    tell(std::move(told));
  }
  for (std::size_t i = 0; i < wrongs; ++i) {
    const auto w = static_cast<wrong>(i);
    if ((e.faults & ~bits & bit(w)) == 0) continue;
    event told = about(e, event::kind::recovered, now);
    told.found.what = w;
    tell(std::move(told));
  }
  e.faults = bits;
}

void ledger::take(const snapshot& s, clock::time_point now, const take_event& tell) {
  const bool first = looks_++ == 0;
  std::unordered_map<std::uint32_t, std::vector<fault>> by_socket;
  for (const group& g : groups_of(s, patience_))
    if (!g.faults.empty())
      for (const std::uint32_t i : g.sockets) by_socket[i] = g.faults;
  const std::vector<fault> nothing;
  for (std::uint32_t i = 0; i < s.sockets.size(); ++i) {
    const tcp_socket& one = s.sockets[i];
    if (one.cookie == 0) continue;
    auto [at, is_new] = known_.try_emplace(one.cookie);
    entry& e = at->second;
    e.see(one, risk_of(one, s));
    e.network = s.networks.at(one.network).name;
    e.look = looks_;
    if (one.process != none) {
      e.pid = s.processes.at(one.process).pid;
      e.name = s.processes[one.process].name;
    }
    if (is_new) e.is_to_tell = !first && is_connection(one);
    // A process that began during this look is known at the next one, and so is one that has yet to accept.
    if (e.is_to_tell && (one.process != none || !is_new)) {
      e.is_to_tell = false;
      tell(about(e, event::kind::opened, now));
    }
    const auto faults = by_socket.find(i);
    compare(e, faults == by_socket.end() ? nothing : faults->second, now, tell);
  }
  // Its end was not told of: it is in TIME_WAIT, or out of sight. If it comes to that, nothing is said.
  std::erase_if(known_, [&](const auto& known) { return known.second.look + 1 < looks_; });
}

void ledger::take_end(const tcp_socket& last, const std::string& network, clock::time_point now,
                      const take_event& tell, const traced* told) {
  const auto found = known_.find(last.cookie);
  entry e;
  if (found != known_.end()) e = std::move(found->second);
  const bool was_known = found != known_.end();
  if (was_known) known_.erase(found);
  if (was_known && e.socket.state == socket_state::listen) return;
  event end = about(e, event::kind::ended, now);
  end.between_looks = !was_known;
  end.ended = told != nullptr ? end_of(*told) : end_of(last, was_known ? &e.socket : nullptr, e.at_risk);
  if (told != nullptr) end.ended.repeated = last.figures ? last.figures->retransmits : 0;
  end.socket = last;
  if (was_known) {
    end.socket.local = e.socket.local;
    end.socket.remote = e.socket.remote;
    end.socket.opened_by = e.socket.opened_by;
  } else {
    end.network = network;
  }
  if (told != nullptr) add_traced(end, *told);
  tell(std::move(end));
}

void ledger::take_end(const traced& told, const std::string& network, clock::time_point now,
                      const take_event& tell) {
  tcp_socket last;
  last.cookie = told.cookie;
  last.state = socket_state::close;
  take_end(last, network, now, tell, &told);
}

}  // namespace halfopen::audit
