#ifndef HALFOPEN_BENCH_SOCKETS_HPP
#define HALFOPEN_BENCH_SOCKETS_HPP

// Plain sockets for the measurements that need one at a time.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "halfopen/lab/unique_fd.hpp"
#include "halfopen/wire/binary.hpp"

namespace halfopen::bench {

[[nodiscard]] inline sockaddr_in loopback(std::uint16_t port, std::uint32_t address = INADDR_LOOPBACK) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(address);
  return a;
}

/// A blocking connection to 127.0.0.1, from that address of 127.0.0.0/8; errno says why there is none.
[[nodiscard]] inline lab::unique_fd connect_to(std::uint16_t port, std::uint32_t from = INADDR_LOOPBACK) {
  lab::unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  const sockaddr_in here = loopback(0, from), there = loopback(port);
  const int on = 1;
  // The port is chosen by connect(), which knows both ends: else the source address's ports run out.
  const bool good = ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
                    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                    ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 &&
                    ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
  if (!good) {
    const int error = errno;
    fd.reset();
    errno = error;
  }
  return fd;
}

enum class answer { right, wrong, ended, failed };  // ended: a clean end before the first byte of it

/// Sends one request and waits for its reply.
[[nodiscard]] inline answer ask(int fd, wire::sum_request request) {
  const std::string bytes = wire::binary::encode(request);
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    return errno == EPIPE ? answer::ended : answer::failed;
  const std::string right = wire::binary::encode(wire::add(request));
  std::array<char, 64> reply;
  std::size_t size = 0;
  while (size < right.size()) {
    const ssize_t got = ::recv(fd, reply.data() + size, reply.size() - size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 && size == 0) return answer::ended;
    if (got <= 0) return answer::failed;
    size += static_cast<std::size_t>(got);
  }
  return std::string_view(reply.data(), size) == right ? answer::right : answer::wrong;
}

/// How many connections wait for accept() on a listener of 127.0.0.1. Of one that
/// listens, /proc/net/tcp has that number where others have the bytes to read
/// (get_tcp4_sock() in net/ipv4/tcp_ipv4.c), and it names the listeners first.
[[nodiscard]] inline std::optional<std::size_t> queue_length(std::uint16_t port) {
  std::ifstream file("/proc/net/tcp");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues;
    fields >> number >> local >> remote >> state >> queues;
    if (state != "0A") break;  // TCP_LISTEN
    if (std::stoul(local.substr(local.find(':') + 1), nullptr, 16) != port) continue;
    return std::stoul(queues.substr(queues.find(':') + 1), nullptr, 16);
  }
  return std::nullopt;
}

}  // namespace halfopen::bench

#endif
