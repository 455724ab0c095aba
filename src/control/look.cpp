// What a running system is like now, asked of the kernel: sock_diag(7) for the sockets of every host, and a
// copy of each socket (pidfd_getfd(2)) for its options, closed at once.

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <map>
#include <utility>

#include "control/reins.hpp"
#include "halfopen/lab/fault.hpp"
#include "halfopen/liveness.hpp"
#include "judge/waits.hpp"

namespace halfopen::control {
namespace {

std::string in_words(const lab::listener& l) {
  return (l.what == lab::listener::protocol::tcp ? "tcp " : "udp ") + l.at.to_string();
}

end_state look_at_end(const lab::host& h, const lab::socket_view& v) {
  end_state e;
  e.tcp_state = v.state;
  e.unread = v.unread;
  e.unsent = v.unsent;
  e.owned = v.inode != 0;
  e.waits_for = judge::waits_for(v);
  if (!e.owned) return e;
  const lab::unique_fd socket = h.copy_socket(v.inode);
  if (!socket) return e;
  if (const auto options = liveness_of(socket.get())) e.options = *options;
  h.in_network([&] {
    if (const auto found = would_hang(socket.get())) e.lengths = *found;
  });
  return e;
}

/// A socket that still stands for a conversation: it is open, or being opened, and no process has closed it.
bool counts(const lab::socket_view& v) {
  return v.state != TCP_LISTEN && v.state != TCP_TIME_WAIT && v.state != TCP_CLOSE;
}

}  // namespace

bool reins::is_shown(const lab::host& h) const {
  if (h.name() == judge::witness_host) return false;
  if (scene_.description.find(h.name()) != nullptr || h.name() == judge::user_host) return true;
  return scene_.program(h.name()) != nullptr;
}

host_state reins::look_at(const lab::host& h) const {
  host_state s;
  s.name = h.name();
  s.address = h.address().to_string();
  s.up = h.is_up();
  s.frozen = frozen_.contains(s.name);
  if (const auto moved = moved_.find(s.name); moved != moved_.end()) s.name_moved_to = moved->second;
  for (const auto& [name, now] : moved_)
    if (now == s.name) s.instead_of = name;
  const lab::process* p = scene_.program(s.name);
  const auto since = [](trace::time_point when) {
    return std::chrono::round<milliseconds>(lab::experiment::now() - when);
  };
  if (p != nullptr && p->ended())
    s.program = program_state{false, since(p->ended()->when), p->ended()->code, p->ended()->signal};
  else if (p != nullptr)
    s.program = program_state{.running = true, .since = since(started_.at(s.name))};
  if (s.up)
    for (const lab::listener& l : h.listeners())
      if (l.reachable_from_others()) s.listens.push_back(in_words(l));
  return s;
}

namespace {

using ends = std::pair<trace::endpoint, trace::endpoint>;
struct seen_socket {
  lab::host* where;
  lab::socket_view is;
};

lab::host* host_at(const lab::experiment& lab, const trace::ip_address& a) {
  for (const auto& h : lab.hosts())
    if (h->address() == a) return h.get();
  return nullptr;
}

/// Every socket by its own end and the other one.
std::map<ends, seen_socket> sockets_between_hosts(const lab::experiment& lab) {
  std::map<ends, seen_socket> found;
  for (const auto& h : lab.hosts()) {
    if (!h->is_up()) continue;
    for (const lab::socket_view& v : h->sockets())
      if (counts(v) && v.local.address == h->address() && host_at(lab, v.remote.address) != nullptr)
        found[{v.local, v.remote}] = {h.get(), v};
  }
  return found;
}

/// Who opened it the packets tell; of two connections with the same ends the later one counts.
bool opened_by_first(const std::vector<const trace::connection*>& all, const ends& e) {
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const trace::connection* c) {
    return (c->opener == e.first && c->responder == e.second) ||
           (c->opener == e.second && c->responder == e.first);
  });
  return found == all.rend() || (*found)->opener == e.first;
}

}  // namespace

void reins::look_at_connections(system_state& s) const {
  const auto sockets = sockets_between_hosts(scene_.lab);
  const auto all = scene_.lab.traffic().connections();
  for (const auto& [own, socket] : sockets) {
    const bool opener = opened_by_first(all, own);
    const auto peer = sockets.find({own.second, own.first});
    if (!opener && peer != sockets.end()) continue;  // told from its opener's side
    lab::host& far = *host_at(scene_.lab, own.second.address);
    connection_state c;
    const std::size_t mine = opener ? 0 : 1, others = 1 - mine;
    c.host[mine] = socket.where->name();
    c.host[others] = far.name();
    c.address[mine] = own.first.to_string();
    c.address[others] = own.second.to_string();
    c.end[mine] = look_at_end(*socket.where, socket.is);
    if (peer != sockets.end()) c.end[others] = look_at_end(far, peer->second.is);
    const bool is_cut = lab::condition_of(*socket.where, far).is_cut;
    const bool stands_still = frozen_.contains(c.host[0]) || frozen_.contains(c.host[1]);
    c.in_the_way = !far.is_up()       ? obstruction::host_down
                   : is_cut           ? obstruction::link_cut
                   : c.is_half_open() ? obstruction::forgotten
                   : stands_still     ? obstruction::frozen
                                      : obstruction::none;
    s.connections.push_back(std::move(c));
  }
}

void reins::look_at_links(system_state& s) const {
  std::vector<judge::link> links = known().links;
  // Of other pairs, those with which something is wrong.
  const auto& hosts = scene_.lab.hosts();
  for (std::size_t i = 0; i < hosts.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const lab::link_condition now = lab::condition_of(*hosts[i], *hosts[k]);
      const bool wrong = now.is_cut || now.delay.count() > 0 || now.lost_share > 0 || now.bytes_left;
      const auto is_that = [&](const judge::link& l) {
        return (l.from == hosts[i]->name() && l.to == hosts[k]->name()) ||
               (l.to == hosts[i]->name() && l.from == hosts[k]->name());
      };
      if (wrong && std::ranges::none_of(links, is_that))
        links.push_back({hosts[k]->name(), hosts[i]->name()});
    }
  for (const judge::link& l : links) {
    const lab::link_condition now = lab::condition_of(scene_.host(l.from), scene_.host(l.to));
    const auto is_on_it = [&](const connection_state& c) {
      return (c.host[0] == l.from && c.host[1] == l.to) || (c.host[0] == l.to && c.host[1] == l.from);
    };
    s.links.push_back(
        {.which = l,
         .cut = now.is_cut,
         .unreachable = now.router_says.has_value(),
         .delay = std::chrono::duration_cast<milliseconds>(now.delay),
         .lost_share = now.lost_share,
         .cut_after_bytes = now.bytes_left,
         .connections = static_cast<std::size_t>(std::ranges::count_if(s.connections, is_on_it))});
  }
}

system_state reins::look() const {
  system_state s;
  s.settings = by_.settings;
  s.capture = by_.capture;
  s.up_for = std::chrono::round<milliseconds>(lab::experiment::now() - since_);
  s.packets = scene_.lab.packets();
  s.steady = steady_;
  for (const auto& h : scene_.lab.hosts())
    if (is_shown(*h)) s.hosts.push_back(look_at(*h));
  look_at_connections(s);
  look_at_links(s);
  for (const auto& r : relays_)
    s.published.push_back({r->what().outside.to_string(), r->what().host, r->what().port, r->connections()});
  return s;
}

}  // namespace halfopen::control
