// One look at the machine: processes, then the sockets of their network namespaces, then who holds which
// and with what options.
//
// In this order a connection that ends meanwhile is a socket without a program, and one that begins
// meanwhile a descriptor whose socket is not listed, which is asked itself. What stands in a descriptor
// and in no table of the kernel's is a connection that is gone: such ones are looked at twice, so that a
// program which is about to close one is not accused. Names are read last: a program may begin, and take its
// name, while the tables are read.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "audit/descriptor.hpp"
#include "audit/diag.hpp"
#include "audit/network_namespace.hpp"
#include "audit/opener.hpp"
#include "audit/proc.hpp"
#include "halfopen/audit.hpp"

namespace halfopen::audit {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds between_two_looks{1000};
constexpr const char* named_networks = "/run/netns";

bool has_options_to_read(socket_state s) {
  return s == socket_state::established || s == socket_state::syn_sent || s == socket_state::close_wait ||
         s == socket_state::fin_wait1 || s == socket_state::fin_wait2;
}

/// A number of a network namespace's own settings, of the calling thread's.
std::optional<milliseconds> seconds_of(const char* path) {
  const std::string text = text_of(path);
  if (text.empty()) return std::nullopt;
  return std::chrono::seconds(std::atoi(text.c_str()));
}

class looking {
 public:
  explicit looking(const scope& whose) : whose_(whose), me_(::geteuid()) {}

  std::expected<snapshot, std::string> run() {
    timespec tick{};
    if (::clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0)  // TICK_NSEC: one of the kernel's ticks
      seen_.tick = std::chrono::microseconds(tick.tv_nsec / 1000);
    if (auto why = choose_processes()) return std::unexpected(std::move(*why));
    if (auto why = list_networks()) return std::unexpected(std::move(*why));
    by_inode();
    for (std::uint32_t i = 0; i < seen_.processes.size(); ++i) look_at(i);
    look_again();
    keep_those_in_scope();
    return std::move(seen_);
  }

 private:
  [[nodiscard]] bool of_some_processes() const {
    return !whose_.pids.empty() || !whose_.names.empty() || !whose_.container.empty();
  }

  [[nodiscard]] bool is_meant(const process& p) const {
    if (!whose_.container.empty() && !p.container.starts_with(whose_.container)) return false;
    if (whose_.pids.empty() && whose_.names.empty())
      return me_ == 0 || p.user == me_ || !whose_.container.empty() || is_in_user_namespace_of(p.pid, me_);
    return std::ranges::count(whose_.pids, p.pid) > 0 || std::ranges::count(whose_.names, p.name) > 0;
  }

  [[nodiscard]] std::string those_asked_for() const {
    std::string all;
    for (const pid_t pid : whose_.pids) all += (all.empty() ? "" : " or ") + std::to_string(pid);
    for (const std::string& name : whose_.names) all += (all.empty() ? "'" : " or '") + name + "'";
    return all;
  }

  std::optional<std::string> choose_processes() {
    for (process& p : all_processes()) {
      if (of_some_processes()) describe(p);
      if (p.pid == ::getpid() || !is_meant(p)) continue;
      seen_.processes.push_back(std::move(p));
    }
    if (seen_.processes.empty() && of_some_processes())
      return whose_.container.empty()
                 ? "there is no process " + those_asked_for() + "; the names are those of `ps -eo comm`"
                 : "no process is in a container '" + whose_.container +
                       "', as far as /proc/PID/cgroup shows; `docker ps --no-trunc` has the ids";
    return std::nullopt;
  }

  // ---- network namespaces -----------------------------------------------------

  /// One namespace that the user named, as the inode; 0 and a reason if there is none.
  std::expected<std::uint64_t, std::string> chosen_network() {
    const std::string& n = whose_.network;
    const bool is_pid = n.find_first_not_of("0123456789") == std::string::npos;
    for (const std::string& path : {is_pid ? "/proc/" + n + "/ns/net" : n, named_networks + ("/" + n)}) {
      if (path.find('/') == std::string::npos) continue;
      const std::uint64_t inode = namespace_inode(path);
      if (inode == 0) continue;
      paths_.emplace_back(inode, path);
      return inode;
    }
    return std::unexpected("there is no network namespace '" + n +
                           "': a name of `ip netns list`, a PID, a path, or 'all'");
  }

  std::optional<std::string> list_networks() {
    own_ = namespace_inode("/proc/self/ns/net");
    std::error_code none_there;
    for (const auto& entry : fs::directory_iterator(named_networks, none_there))
      if (const auto inode = namespace_inode(entry.path()))
        names_.emplace_back(inode, entry.path().filename());
    std::set<std::uint64_t> wanted;
    if (!whose_.network.empty() && whose_.network != "all") {
      const auto one = chosen_network();
      if (!one) return one.error();
      wanted.insert(*one);
      std::erase_if(seen_.processes, [&](const process& p) { return p.network != *one; });
    } else {
      if (!of_some_processes()) wanted.insert(own_);
      for (const process& p : seen_.processes)
        if (p.network != 0) wanted.insert(p.network);
      if (whose_.network == "all")
        for (const auto& [inode, name] : names_) wanted.insert(inode);
    }
    for (const std::uint64_t inode : wanted) list(inode);
    return std::nullopt;
  }

  [[nodiscard]] std::string name_of(std::uint64_t inode) const {
    const auto found = std::ranges::find(names_, inode, &std::pair<std::uint64_t, std::string>::first);
    return found == names_.end() ? std::string() : found->second;
  }

  /// A way into that namespace: by its name, or by a process in it. Empty: there is none.
  [[nodiscard]] std::string way_into(std::uint64_t inode) const {
    const auto try_it = [&](const std::string& path) {
      return open_network(path, inode) ? path : std::string();
    };
    for (const auto& [known, path] : paths_)
      if (known == inode)
        if (auto way = try_it(path); !way.empty()) return way;
    if (const std::string name = name_of(inode); !name.empty())
      if (auto way = try_it(std::string(named_networks) + "/" + name); !way.empty()) return way;
    for (const process& p : seen_.processes)
      if (p.network == inode)
        if (auto way = try_it("/proc/" + std::to_string(p.pid) + "/ns/net"); !way.empty()) return way;
    return {};
  }

  void list(std::uint64_t inode) {
    network n;
    n.inode = inode;
    n.name = name_of(inode);
    const auto index = static_cast<std::uint32_t>(seen_.networks.size());
    const auto read = [&] {
      n.timers = read_kernel_timers();
      n.fin_timeout = seconds_of("/proc/sys/net/ipv4/tcp_fin_timeout");
      n.listen_overflows = netstat(text_of("/proc/thread-self/net/netstat"), "TcpExt:", "ListenOverflows");
      n.listed = each_socket([&](const tcp_socket& s) {
        seen_.sockets.push_back(s);
        seen_.sockets.back().network = index;
      });
    };
    if (inode == own_) {
      read();
    } else if (n.path = way_into(inode); !n.path.empty()) {
      if (const unique_fd there = open_network(n.path, inode)) in_network(there.get(), read);
    }
    seen_.networks.push_back(std::move(n));
  }

  [[nodiscard]] std::uint32_t index_of_network(std::uint64_t inode) {
    const auto found = std::ranges::find(seen_.networks, inode, &network::inode);
    if (found != seen_.networks.end()) return static_cast<std::uint32_t>(found - seen_.networks.begin());
    seen_.networks.emplace_back().inode = inode;
    return static_cast<std::uint32_t>(seen_.networks.size() - 1);
  }

  // ---- descriptors ------------------------------------------------------------

  void by_inode() {
    for (std::uint32_t i = 0; i < seen_.sockets.size(); ++i)
      if (seen_.sockets[i].inode != 0) index_.emplace_back(seen_.sockets[i].inode, i);
    std::ranges::sort(index_);
  }

  [[nodiscard]] tcp_socket* find(std::uint64_t inode) {
    const auto at =
        std::ranges::lower_bound(index_, inode, {}, &std::pair<std::uint64_t, std::uint32_t>::first);
    return at != index_.end() && at->first == inode ? &seen_.sockets[at->second] : nullptr;
  }

  [[nodiscard]] bool has_port(const tcp_socket& s) const {
    return whose_.ports.empty() || std::ranges::count(whose_.ports, s.local.port) > 0 ||
           std::ranges::count(whose_.ports, s.remote.port) > 0;
  }

  /// Sockets whose process is not known count for all of this user's, and for none that was asked for.
  void hide(const process& p, obstacle what) {
    const bool connections = what == obstacle::other_network ||
                             (what == obstacle::descriptors && (of_some_processes() || p.user != me_));
    seen_.not_seen.push_back({p.pid, p.name, what, connections});
  }

  void look_at(std::uint32_t number) {
    process& p = seen_.processes[number];
    auto held = open_sockets(p.pid);
    // Of a sub-UID in a container of this user's: the folder is closed, but not to the container's root.
    if (!held && held.error() == EACCES)
      in_user_namespace("/proc/" + std::to_string(p.pid) + "/ns/user", [&] { held = open_sockets(p.pid); });
    if (!held || !held->empty()) {
      describe(p);
      if (p.container == own_container_) p.container.clear();  // where the user is already
    }
    if (!held) {
      if (held.error() == EACCES || held.error() == EPERM) hide(p, obstacle::descriptors);
      return;
    }
    if (held->empty()) return;
    process_descriptors descriptors(p.pid);
    const std::uint32_t network = index_of_network(p.network);
    const bool listed = seen_.networks[network].listed;
    for (const open_socket& d : *held) {
      if (tcp_socket* s = find(d.inode)) {
        if (s->process != none || !has_port(*s)) continue;
        s->process = number;
        s->descriptor = d.descriptor;
        if (!has_options_to_read(s->state)) continue;
        if (const unique_fd copy = descriptors.copy(d.descriptor, d.inode))
          s->options = options_of(copy.get(), s->state);
      } else if (others_.insert(d.inode).second) {
        look_at_other(descriptors, number, network, d);
      }
    }
    if (descriptors.refused()) hide(p, obstacle::options);
    if (!listed) hide(p, obstacle::other_network);
  }

  /// A socket that no table has: of another kind, in a namespace that could not be entered, newer than the
  /// tables, or gone.
  void look_at_other(process_descriptors& descriptors, std::uint32_t number, std::uint32_t network,
                     const open_socket& d) {
    const unique_fd copy = descriptors.copy(d.descriptor, d.inode);
    if (!copy) return;
    auto s = socket_of_descriptor(copy.get());
    if (!s || !has_port(*s)) return;
    s->network = network;
    s->process = number;
    s->descriptor = d.descriptor;
    s->inode = d.inode;
    s->user = seen_.processes[number].user;
    if (has_options_to_read(s->state)) s->options = options_of(copy.get(), s->state);
    seen_.sockets.push_back(*s);
  }

  /// Those that are gone still stand in their descriptors after a while, or are forgotten.
  void look_again() {
    const auto is_gone = [](const tcp_socket& s) { return s.state == socket_state::close; };
    if (std::ranges::none_of(seen_.sockets, is_gone)) return;
    std::this_thread::sleep_for(between_two_looks);
    std::erase_if(seen_.sockets, [&](tcp_socket& s) {
      if (!is_gone(s)) return false;
      s.gone_for = between_two_looks;
      process_descriptors descriptors(seen_.processes[s.process].pid);
      const unique_fd copy = descriptors.copy(s.descriptor, s.inode);
      const auto now = copy ? socket_of_descriptor(copy.get()) : std::nullopt;
      return !now || now->state != socket_state::close;
    });
  }

  // ---- what is left -----------------------------------------------------------

  void keep_those_in_scope() {
    const auto ports = listening_ports(seen_.sockets);
    std::unordered_set<std::uint64_t> doors;
    const auto door = [](const tcp_socket& s) { return std::uint64_t{s.network} << 16U | s.local.port; };
    for (const tcp_socket& s : seen_.sockets)
      if (s.state == socket_state::listen && s.process != none) doors.insert(door(s));
    std::erase_if(seen_.sockets, [&](const tcp_socket& s) {
      if (!has_port(s)) return true;
      if (s.process != none) return false;
      const bool waits = s.inode == 0 && doors.contains(door(s));
      return !waits && (of_some_processes() || (me_ != 0 && s.user != me_));
    });
    for (tcp_socket& s : seen_.sockets) s.opened_by = opener_of(s, ports);
  }

  const scope& whose_;
  uid_t me_;
  std::uint64_t own_ = 0;
  const std::string own_container_ = container_of(text_of("/proc/self/cgroup"));
  snapshot seen_;
  std::vector<std::pair<std::uint64_t, std::string>> names_;  ///< of namespaces, by their inodes
  std::vector<std::pair<std::uint64_t, std::string>> paths_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> index_;
  std::unordered_set<std::uint64_t> others_;
};

}  // namespace

std::expected<snapshot, std::string> look(const scope& whose) {
  return looking(whose).run();
}

}  // namespace halfopen::audit
