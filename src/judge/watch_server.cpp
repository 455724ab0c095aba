// What a server does after a fault, seen from outside; what that means is decided in decide/server.cpp.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <span>

#include "judge/waits.hpp"
#include "judge/watch.hpp"
#include "lab/open_sockets.hpp"

namespace halfopen::judge {
namespace {

constexpr milliseconds longest_wait = std::chrono::hours(3);
constexpr milliseconds brief_watch = std::chrono::minutes(2);
/// The far end of a TCP socket whose connection is over; nothing if it is another kind of socket.
/// getpeername(2) no longer knows it, SO_PEERNAME does (inet_getname() in net/ipv4/af_inet.c), if
/// asked for no more bytes than the address has.
std::optional<trace::endpoint> peer_of_closed(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || info.tcpi_state != TCP_CLOSE)
    return std::nullopt;
  sockaddr_in6 v6{};
  size = sizeof v6;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &v6, &size) == 0) {
    const auto bytes = std::as_bytes(std::span(v6.sin6_addr.s6_addr));
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    return trace::endpoint{trace::ip_address(mapped ? bytes.last(4) : bytes), ntohs(v6.sin6_port)};
  }
  sockaddr_in v4{};
  size = sizeof v4;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &v4, &size) < 0) return std::nullopt;
  return trace::endpoint{trace::ip_address(std::as_bytes(std::span(&v4.sin_addr.s_addr, 1))),
                         ntohs(v4.sin_port)};
}

/// Sockets whose connection was reset and that a program has not closed. The kernel lists them
/// no more (sock_diag(7)), but a descriptor costs what it costs.
std::vector<lab::socket_view> reset_and_open(const lab::host& h) {
  std::vector<lab::socket_view> found;
  std::set<std::uint64_t> known;
  for (const lab::socket_view& s : h.sockets()) known.insert(s.inode);
  for (const pid_t pid : h.pids()) {
    const lab::unique_fd owner(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    for (const lab::open_socket& s : lab::open_sockets(pid)) {
      if (!known.insert(s.inode).second) continue;
      const lab::unique_fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, owner.get(), s.descriptor, 0)));
      const auto peer = copy ? peer_of_closed(copy.get()) : std::nullopt;
      if (!peer) continue;
      lab::socket_view& made = found.emplace_back();
      made.remote = *peer;
      made.state = TCP_CLOSE;
      made.inode = s.inode;
    }
  }
  return found;
}

}  // namespace

std::vector<lab::socket_view> held(const lab::host& server, std::span<const trace::endpoint> gone) {
  std::vector<lab::socket_view> left;
  for (const lab::socket_view& s : server.sockets())
    if (s.inode != 0 && s.state != TCP_TIME_WAIT && s.state != TCP_LISTEN &&
        std::ranges::count(gone, s.remote) > 0)
      left.push_back(s);
  for (const lab::socket_view& s : reset_and_open(server))
    if (std::ranges::count(gone, s.remote) > 0) left.push_back(s);
  return left;
}

other_client watch_other_client(stage& s, const lab::process& server) {
  other_client seen;
  seen.server_ended = server.ended();
  if (seen.server_ended) return seen;
  seen.limit = std::max(s.soon, 3 * s.base.took + 2s);
  const auto of_witness = [&] {
    return std::ranges::count(s.lab.traffic().connections(), s.witness.address(),
                              [](const trace::connection* c) { return c->opener.address; });
  };
  const auto before = of_witness();
  lab::process& next = s.call_from(s.witness);
  if (!s.wait([&] { return next.ended().has_value(); }, seen.limit)) {
    next.signal(SIGKILL);
    seen.got = answer::none;
  } else if (next.ended()->code != 0 || next.ended()->signal != 0 ||
             !s.base.answered_as_ever(next.output())) {
    s.lab.run_for(50ms);  // if the server has ended, that is why, and it is told a little later
    seen.got = answer::another;
    const bool well = next.ended()->code == 0 && next.ended()->signal == 0;
    seen.unpredictable = well && s.base.unpredictable();
  }
  seen.came = of_witness() > before;
  seen.server_ended = server.ended();
  return seen;
}

held_sockets watch_held(stage& s, std::span<const trace::endpoint> gone,
                        const std::vector<lab::socket_view>& left) {
  const lab::socket_view& one = left.front();
  held_sockets seen;
  seen.state = one.state;
  seen.count = left.size();
  seen.patience = s.under_test.patience();
  seen.still_at = s.since_fault();
  if (one.state == TCP_CLOSE_WAIT || one.state == TCP_CLOSE) return seen;
  seen.wait = length_of_wait(s.server, one.inode, waits_for(one));
  if (!s.under_test.virtual_clock) {
    seen.endless = waits_without_limit(s.server);
    return seen;
  }
  seen.to_the_end = !(s.under_test.brief && seen.wait && seen.wait->by_kernel);
  seen.released =
      s.wait([&] { return held(s.server, gone).empty(); }, seen.to_the_end ? longest_wait : brief_watch);
  seen.watched = s.since_fault();
  return seen;
}

}  // namespace halfopen::judge
