#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/host.hpp"
#include "lab/socket_address.hpp"

namespace halfopen::lab {
namespace {

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

unique_fd host::begin_to_connect(const host& other, std::uint16_t port) {
  const socket_address there(other.address(), port);
  unique_fd fd;
  in_network([&] { fd.reset(::socket(there.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
  if (!fd) throw error("socket", errno);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd.get(), there.get(), there.size()) < 0 && errno != EINPROGRESS)
    throw error("connecting to " + other.name(), errno);
  return fd;
}

unique_fd host::connect_to(const host& other, std::uint16_t port) {
  unique_fd fd = begin_to_connect(other, port);
  pollfd ready{fd.get(), POLLOUT, 0};
  if (!lab().until([&] { return ::poll(&ready, 1, 0) == 1; }) || (ready.revents & POLLERR) != 0)
    throw error("the lab's own socket could not connect to " + other.name());
  lab().until([&] { return handshake_done(lab().traffic(), *this, fd.get()); });
  return fd;
}

}  // namespace halfopen::lab
