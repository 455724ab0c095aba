// What only a descriptor tells: the options, and a connection that is gone. pidfd_getfd(2) copies it out of
// the process, which neither stops nor notices. ptrace(2) was the alternative, and stops it.
//
// SO_ERROR is not asked: reading takes the error away from the program. poll(2) shows that one waits.

#include "audit/descriptor.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>  // not netinet/tcp.h, whose tcp_info ends at tcpi_total_retrans
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "audit/diag.hpp"

namespace halfopen::audit {
namespace {

constexpr int tcp_rto_max_ms = 44;  // TCP_RTO_MAX_MS, Linux 6.15

std::optional<int> number(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, name, &value, &size) != 0) return std::nullopt;
  return value;
}

std::optional<trace::endpoint> endpoint_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof four);
    return trace::endpoint{trace::ip_address(std::as_bytes(std::span(&four.sin_addr.s_addr, 1))),
                           ntohs(four.sin_port)};
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 six;
  std::memcpy(&six, &address, sizeof six);
  const auto bytes = std::as_bytes(std::span(six.sin6_addr.s6_addr));
  return trace::endpoint{trace::ip_address(IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) ? bytes.last(4) : bytes),
                         ntohs(six.sin6_port)};
}

/// getpeername(2) no longer knows the far end of a connection that is over, SO_PEERNAME does (inet_getname()
/// in net/ipv4/af_inet.c), if asked for no more bytes than the address has.
std::optional<trace::endpoint> peer_of(int fd) {
  for (const socklen_t bytes : {socklen_t{sizeof(sockaddr_in6)}, socklen_t{sizeof(sockaddr_in)}}) {
    sockaddr_storage address{};
    socklen_t size = bytes;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &address, &size) == 0) return endpoint_of(address);
  }
  return std::nullopt;
}

}  // namespace

process_descriptors::process_descriptors(pid_t pid) noexcept
    : pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

unique_fd process_descriptors::copy(int descriptor, std::uint64_t inode) noexcept {
  if (!pidfd_ || refused_) return {};
  unique_fd fd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd_.get(), descriptor, 0)));
  if (!fd) {
    refused_ = errno == EPERM || errno == EACCES;
    return {};
  }
  struct stat about{};
  if (::fstat(fd.get(), &about) != 0 || about.st_ino != inode) fd.reset();
  return fd;
}

std::optional<socket_options> options_of(int fd, socket_state state) {
  const auto keepalive = number(fd, SOL_SOCKET, SO_KEEPALIVE);
  const auto user_timeout = number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
  if (!keepalive || !user_timeout) return std::nullopt;
  socket_options o;
  o.live.user_timeout = milliseconds(*user_timeout);
  if (*keepalive !=
      0) {  // else its figures decide nothing, and of very many sockets three calls each are spared
    const auto live = liveness_of(fd);
    if (!live) return std::nullopt;
    o.live = *live;
  }
  if (state == socket_state::syn_sent) o.syn_retries = number(fd, IPPROTO_TCP, TCP_SYNCNT);
  if (const auto ms = number(fd, IPPROTO_TCP, tcp_rto_max_ms); ms && *ms > 0) o.rto_max = milliseconds(*ms);
  return o;
}

std::optional<tcp_socket> socket_of_descriptor(int fd) {
  if (number(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP) return std::nullopt;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  tcp_socket s;
  s.state = static_cast<socket_state>(info.tcpi_state);
  s.running = timer::unknown;
  socklen_t cookie_size = sizeof s.cookie;
  ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &s.cookie, &cookie_size);
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0)
    s.local = endpoint_of(own).value_or(trace::endpoint{});
  if (s.state == socket_state::listen) {
    s.receive_queue = info.tcpi_unacked;  // tcp_get_info(): sk_ack_backlog and sk_max_ack_backlog
    s.send_queue = info.tcpi_sacked;
    return s;
  }
  const auto peer = peer_of(fd);
  if (!peer || peer->port == 0) return std::nullopt;
  s.remote = *peer;
  s.figures = figures_of(&info, size);
  int queued = 0;
  if (::ioctl(fd, SIOCINQ, &queued) == 0) s.receive_queue = static_cast<std::uint32_t>(std::max(queued, 0));
  if (::ioctl(fd, SIOCOUTQ, &queued) == 0) s.send_queue = static_cast<std::uint32_t>(std::max(queued, 0));
  pollfd waits{fd, 0, 0};
  s.error_waits = ::poll(&waits, 1, 0) == 1 && (waits.revents & POLLERR) != 0;
  return s;
}

}  // namespace halfopen::audit
