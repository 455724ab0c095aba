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

}  // namespace

std::string_view to_string(event::kind k) noexcept {
  static constexpr std::array<std::string_view, 4> names{"opened", "ended", "wrong", "recovered"};
  const auto i = static_cast<std::size_t>(k);
  return i < names.size() ? names[i] : "?";
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
    e.socket = one;
    e.network = s.networks.at(one.network).name;
    e.at_risk = risk_of(one, s);
    e.look = looks_;
    if (one.process != none) {
      e.pid = s.processes.at(one.process).pid;
      e.name = s.processes[one.process].name;
    }
    if (is_new && !first && is_connection(one)) tell(about(e, event::kind::opened, now));
    const auto faults = by_socket.find(i);
    compare(e, faults == by_socket.end() ? nothing : faults->second, now, tell);
  }
  // Its end was not told of: it is in TIME_WAIT, or out of sight. If it comes to that, nothing is said.
  std::erase_if(known_, [&](const auto& known) { return known.second.look + 1 < looks_; });
}

bool ledger::take_end(const tcp_socket& last, const std::string& network, clock::time_point now,
                      const take_event& tell) {
  const auto found = known_.find(last.cookie);
  entry e;
  if (found != known_.end()) e = std::move(found->second);
  const bool was_known = found != known_.end();
  if (was_known) known_.erase(found);
  if (was_known && e.socket.state == socket_state::listen) return true;
  const tcp_socket before = e.socket;
  event told = about(e, event::kind::ended, now);
  told.ended = end_of(last, was_known ? &before : nullptr, e.at_risk);
  told.socket = last;
  if (was_known) {
    told.socket.local = before.local;
    told.socket.remote = before.remote;
    told.socket.opened_by = before.opened_by;
  } else {
    told.network = network;
  }
  tell(std::move(told));
  return was_known;
}

}  // namespace halfopen::audit
