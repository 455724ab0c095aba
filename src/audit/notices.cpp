// The kernel's word about each socket that it destroys, with its last TCP_INFO.
//
// There are up to ten thousand a second of them. Reading each by a call of its own, as it comes, takes a
// wake-up each; so they are let gather for some milliseconds, and read in batches (recvmmsg(2)).

#include "audit/notices.hpp"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "audit/diag.hpp"
#include "audit/network_namespace.hpp"

namespace halfopen::audit {
namespace {

constexpr std::size_t batch = 64;
constexpr std::size_t room = 2048;  // a notification has some 400 bytes
constexpr int buffer = 16 << 20;

unique_fd listen_here() {
  unique_fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!fd) return fd;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = 1U << (SKNLGRP_INET_TCP_DESTROY - 1) | 1U << (SKNLGRP_INET6_TCP_DESTROY - 1);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&groups), sizeof groups) != 0) fd.reset();
  return fd;
}

unique_fd listen_in(const network& n) {
  unique_fd fd;
  if (n.path.empty()) return listen_here();
  if (const unique_fd there = open_network(n.path, n.inode))
    in_network(there.get(), [&] { fd = listen_here(); });
  return fd;
}

/// Only the kernel may say so.
bool is_from_kernel(const sockaddr_nl& from) {
  return from.nl_pid == 0;
}

}  // namespace

void destroy_notices::follow(const snapshot& s) {
  std::erase_if(all_, [&](const one& o) {
    return std::ranges::find(s.networks, o.network, &network::inode) == s.networks.end();
  });
  for (const network& n : s.networks) {
    if (!n.listed || std::ranges::find(all_, n.inode, &one::network) != all_.end()) continue;
    if (unique_fd fd = listen_in(n)) all_.push_back({n.inode, n.name, std::move(fd)});
  }
}

void destroy_notices::wait(milliseconds most, const std::vector<int>& others) const {
  std::vector<pollfd> watched;
  for (const one& o : all_) watched.push_back({o.socket.get(), POLLIN, 0});
  for (const int fd : others) watched.push_back({fd, POLLIN, 0});
  ::poll(watched.data(), watched.size(), static_cast<int>(std::max<std::int64_t>(most.count(), 0)));
}

void destroy_notices::drain(const std::function<void(const tcp_socket&, const std::string&)>& take) {
  buffers_.resize(batch * room);
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> parts{};
  std::array<sockaddr_nl, batch> from{};
  for (const one& o : all_) {
    for (;;) {
      for (std::size_t i = 0; i < batch; ++i) {
        parts[i] = {buffers_.data() + i * room, room};
        messages[i] = {};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof from[i];
      }
      const int n = ::recvmmsg(o.socket.get(), messages.data(), batch, MSG_DONTWAIT, nullptr);
      if (n < 0 && errno == ENOBUFS) {
        ++losses_;
        continue;
      }
      if (n <= 0) break;
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        int left = static_cast<int>(messages[i].msg_len);
        const auto* header = reinterpret_cast<const nlmsghdr*>(parts[i].iov_base);
        for (; is_from_kernel(from[i]) && is_whole(header, left); header = mnl_nlmsg_next(header, &left))
          if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY)
            if (const auto s = socket_of(header)) take(*s, o.name);
      }
      if (static_cast<std::size_t>(n) < batch) break;
    }
  }
}

}  // namespace halfopen::audit
