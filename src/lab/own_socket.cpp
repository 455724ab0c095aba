#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/host.hpp"

namespace halfopen::lab {
namespace {

socklen_t fill_in(sockaddr_storage& address, const trace::ip_address& ip, std::uint16_t port) {
  const auto bytes = ip.bytes();
  if (ip.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&address, &v6, sizeof v6);
    return sizeof v6;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
  std::memcpy(&address, &v4, sizeof v4);
  return sizeof v4;
}

/// The connection that this socket is an end of, once its handshake is done.
bool handshake_done(const trace::tracker& traffic, const host& from, int fd) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  // The port stands at the same place in both kinds of address.
  const std::uint16_t port = ntohs(reinterpret_cast<const sockaddr_in*>(&own)->sin_port);
  const auto all = traffic.connections();
  return std::ranges::any_of(all, [&](const trace::connection* c) {
    return c->opener == trace::endpoint{from.address(), port} && c->handshake_done;
  });
}

}  // namespace

unique_fd host::connect_to(const host& other, std::uint16_t port) {
  sockaddr_storage there{};
  const socklen_t size = fill_in(there, other.address(), port);
  unique_fd fd;
  in_network([&] { fd.reset(::socket(there.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
  if (!fd) throw error("socket", errno);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&there), size) < 0 && errno != EINPROGRESS)
    throw error("connecting to " + other.name(), errno);
  pollfd ready{fd.get(), POLLOUT, 0};
  if (!lab().until([&] { return ::poll(&ready, 1, 0) == 1; }) || (ready.revents & POLLERR) != 0)
    throw error("the lab's own socket could not connect to " + other.name());
  lab().until([&] { return handshake_done(lab().traffic(), *this, fd.get()); });
  return fd;
}

}  // namespace halfopen::lab
