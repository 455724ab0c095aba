// Sockets that are alike in one line, and the order of the lines.
//
// Alike means: the same process, the same place at the far end (or, of connections that were accepted, the
// same port at the near end), the same rules with the same options, and the same faults. The connection's
// own round trip makes lengths differ a little among the connections of one pool; that does not part them.

#include <algorithm>
#include <functional>
#include <tuple>
#include <unordered_map>

#include "audit/faults.hpp"
#include "halfopen/audit.hpp"

namespace halfopen::audit {
namespace {

/// States of a connection that differ in what they mean to the user.
socket_state class_of(socket_state s) {
  switch (s) {
    case socket_state::fin_wait1:
    case socket_state::closing:
    case socket_state::last_ack:
      return socket_state::fin_wait1;
    default:
      return s;
  }
}

struct key {
  std::uint32_t process, network;
  side opened_by;
  socket_state state;
  bool same_host;
  trace::endpoint place;
  std::uint32_t faults;  ///< bits
  rule idle, in_flight, connecting;
  liveness live;
  bool operator==(const key&) const = default;
};

struct hash_of_key {
  std::size_t operator()(const key& k) const noexcept {
    const auto& words = k.place.address.words();
    std::size_t h = 0;
    for (const std::uint64_t part :
         {std::uint64_t{k.process}, std::uint64_t{k.place.port}, words[0], words[1], std::uint64_t{k.faults},
          static_cast<std::uint64_t>(k.state), static_cast<std::uint64_t>(k.live.user_timeout.count()),
          static_cast<std::uint64_t>(k.live.idle.count())})
      h = (h ^ part) * 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 32U);
  }
};

/// Where it goes, or which door it came in by.
trace::endpoint place_of(const tcp_socket& s) {
  if (s.state == socket_state::listen || s.opened_by == side::peer) return {{}, s.local.port};
  return s.remote;
}

key key_of(const tcp_socket& s, const risk& r, std::span<const fault> faults) {
  key k{s.process,         s.network,       s.opened_by, class_of(s.state),
        s.stays_on_host(), place_of(s),     0,           r.idle.by,
        r.in_flight.by,    r.connecting.by, {}};
  for (const fault& f : faults) k.faults |= 1U << static_cast<unsigned>(f.what);
  if (s.options) k.live = s.options->live;
  if (!k.live.keepalive) {  // what would be if it were on does not matter
    k.live.idle = {};
    k.live.interval = {};
    k.live.probes = 0;
  }
  return k;
}

void take_worse(notice& a, const notice& b) {
  if (!b.least || (a.least && *a.least >= *b.least)) return;
  if (a.known() && !a.least) return;  // never
  a = b;
}

void add(group& g, std::uint32_t index, const tcp_socket& s, const risk& r, std::span<const fault> faults) {
  const milliseconds idle = s.figures && s.figures->was_open() ? s.figures->idle() : milliseconds(0);
  if (g.sockets.empty()) {
    g.process = s.process;
    g.network = s.network;
    g.opened_by = s.opened_by;
    g.state = class_of(s.state);
    g.local = s.local;
    g.remote = s.remote;
    g.same_host = s.stays_on_host();
    g.at_risk = r;
    g.faults.assign(faults.begin(), faults.end());
    g.idle_least = g.idle_most = idle;
  } else {
    if (g.local.port != s.local.port) g.local.port = 0;
    if (g.remote.port != s.remote.port) g.remote.port = 0;
    g.one_peer = g.one_peer && g.remote.address == s.remote.address;
    take_worse(g.at_risk.idle, r.idle);
    take_worse(g.at_risk.in_flight, r.in_flight);
    take_worse(g.at_risk.connecting, r.connecting);
    take_worse(g.at_risk.now, r.now);
    g.idle_least = std::min(g.idle_least, idle);
    g.idle_most = std::max(g.idle_most, idle);
    for (std::size_t i = 0; i < g.faults.size() && i < faults.size(); ++i)
      if (faults[i].lasted > g.faults[i].lasted || faults[i].count > g.faults[i].count) {
        g.faults[i].lasted = std::max(g.faults[i].lasted, faults[i].lasted);
        g.faults[i].count = std::max(g.faults[i].count, faults[i].count);
        g.faults[i].ends = faults[i].ends;
      }
  }
  g.sockets.push_back(index);
  if (s.figures && s.state != socket_state::listen && s.state != socket_state::close)
    g.bytes_in_flight += s.send_queue >= s.figures->not_sent ? s.send_queue - s.figures->not_sent : 0;
}

/// Waiting to be accepted: established, and no program has it yet.
bool waits(const tcp_socket& s) {
  return s.inode == 0 && (s.state == socket_state::established || s.state == socket_state::close_wait);
}

/// An IPv6 listener takes IPv4 too, unless it was told not to; an address of its own is the better one.
class doors {
 public:
  explicit doors(std::span<const tcp_socket> all) {
    for (const tcp_socket& s : all)
      if (s.state == socket_state::listen) by_port_[place(s.network, s.local.port)].push_back(&s);
    for (const tcp_socket& s : all) {
      if (!waits(s)) continue;
      const auto found = by_port_.find(place(s.network, s.local.port));
      if (found == by_port_.end()) continue;
      const tcp_socket* best = nullptr;
      for (const tcp_socket* door : found->second)
        if (rank(*door, s) > (best == nullptr ? 0 : rank(*best, s))) best = door;
      if (best != nullptr) waiting_[best].push_back(&s);
    }
  }
  [[nodiscard]] std::span<const tcp_socket* const> waiting_at(const tcp_socket& s) const {
    const auto found = waiting_.find(&s);
    return found == waiting_.end() ? std::span<const tcp_socket* const>{} : found->second;
  }

 private:
  static std::uint64_t place(std::uint32_t network, std::uint16_t port) {
    return std::uint64_t{network} << 16U | port;
  }
  static int rank(const tcp_socket& door, const tcp_socket& s) {
    if (door.local.address == s.local.address) return 3;
    const bool any =
        std::ranges::all_of(door.local.address.bytes(), [](std::byte b) { return b == std::byte{0}; });
    if (!any) return 0;
    // Of several processes' with SO_REUSEPORT nobody knows which; whoever has some waiting has them.
    return (door.local.address.is_v6() == s.local.address.is_v6() ? 2 : 1) * (door.receive_queue > 0 ? 1 : 0);
  }

  std::unordered_map<std::uint64_t, std::vector<const tcp_socket*>> by_port_;
  std::unordered_map<const tcp_socket*, std::vector<const tcp_socket*>> waiting_;
};

bool is_dead(const group& g) {
  return std::ranges::any_of(g.faults, [](const fault& f) {
    return f.what == wrong::gone_not_closed || f.what == wrong::retransmitting ||
           f.what == wrong::probes_unanswered || f.what == wrong::close_wait;
  });
}

/// A pool: connections that this host opened to one place. Fewer than three are none.
void mark_pools(std::vector<group>& all) {
  constexpr std::size_t least = 3;
  struct count {
    std::size_t dead = 0, others = 0;
  };
  std::unordered_map<std::uint64_t, std::vector<std::pair<trace::endpoint, count>>> pools;
  const auto pool_of = [&](const group& g) -> count& {
    auto& of_process = pools[g.process];
    const auto found = std::ranges::find(of_process, g.remote, [](const auto& p) { return p.first; });
    return found != of_process.end() ? found->second : of_process.emplace_back(g.remote, count{}).second;
  };
  // Of one that is gone nobody knows who opened it; it went to a place to which others went out.
  const auto counts = [](const group& g) {
    const bool went_out = g.opened_by == side::this_host || (g.opened_by == side::unknown && is_dead(g));
    return g.process != none && went_out && g.state != socket_state::syn_sent;
  };
  for (const group& g : all)
    if (counts(g)) (is_dead(g) ? pool_of(g).dead : pool_of(g).others) += g.sockets.size();
  for (group& g : all) {
    if (!counts(g) || !is_dead(g)) continue;
    const count& c = pool_of(g);
    if (c.others > 0 && c.dead + c.others >= least)
      g.faults.push_back({wrong::pool_partly_dead, {}, static_cast<std::uint32_t>(c.others), {}});
  }
}

/// The smaller the worse.
auto badness(const group& g) {
  // An overflow in the past and an orphan are the kernel's to cure, and stand after the others.
  const bool mild = std::ranges::all_of(g.faults, [](const fault& f) {
    return f.what == wrong::orphan || f.what == wrong::accept_queue_overflowed;
  });
  int rank = 3;
  if (!g.faults.empty())
    rank = mild ? 1 : 0;
  else if (!g.same_host)
    rank = 2;
  const wrong first = g.faults.empty() ? wrong::pool_partly_dead : g.faults.front().what;
  const notice& worst = g.state == socket_state::syn_sent ? g.at_risk.connecting : g.at_risk.idle;
  const auto length = [](const notice& n) {
    if (!n.known()) return milliseconds(-1);
    return n.least.value_or(milliseconds::max());
  };
  return std::tuple(rank, first, -length(worst).count(), -length(g.at_risk.in_flight).count(),
                    -static_cast<std::int64_t>(g.sockets.size()), g.process, g.remote);
}

}  // namespace

std::vector<group> groups_of(const snapshot& s, const patience& p) {
  const doors doors(s.sockets);
  std::unordered_map<key, std::size_t, hash_of_key> known;
  std::vector<group> all;
  for (std::uint32_t i = 0; i < s.sockets.size(); ++i) {
    const tcp_socket& one = s.sockets[i];
    if (waits(one)) continue;
    const risk r = risk_of(one, s);
    const std::vector<fault> faults = faults_with(one, r, s, p, doors.waiting_at(one));
    const bool shown = !faults.empty() || (one.state != socket_state::listen && one.inode != 0 &&
                                           one.state != socket_state::close);
    if (!shown) continue;
    const auto [at, is_new] = known.try_emplace(key_of(one, r, faults), all.size());
    if (is_new) all.emplace_back();
    add(all[at->second], i, one, r, faults);
  }
  mark_pools(all);
  std::ranges::sort(all, [](const group& a, const group& b) { return badness(a) < badness(b); });
  return all;
}

}  // namespace halfopen::audit
