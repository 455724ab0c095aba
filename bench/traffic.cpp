// Two kinds of traffic: one that waits for every packet, and one that never
// waits. The first byte of a connection says which kind it is.
//
// A ping-pong's figure is the median of its rounds, not their mean: a round in
// which the scheduler ran somebody else says nothing about the wire. A filling's
// figure is over all of its time, from the first byte handed to the kernel to
// the byte with which the other side says that it has read the last one.
//
// Both sides of a ping-pong run on one processor. Where the scheduler may choose,
// it chooses anew for every connection, and a plain veth pair's round takes 14 us
// on one processor but 45 to 65 us across two (the second must be woken from its
// sleep, which in a virtual machine is dear): the ratio then lay anywhere between
// 0.5 and 7. One processor is what suits the plain pair best.

#include "bench/traffic.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "bench/measure.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::bench {
namespace {

constexpr std::uint16_t port = 7;
constexpr std::size_t chunk = std::size_t{256} * 1024;
constexpr char echo_please = 'e', swallow_please = 's';

void check(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in at(const char* address) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &a.sin_addr);
  return a;
}

lab::unique_fd make_socket() {
  lab::unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(static_cast<bool>(fd), "socket");
  return fd;
}

void send_byte(int fd, char byte) {
  check(::send(fd, &byte, 1, MSG_NOSIGNAL) == 1, "send");
}

void no_delay(int fd) {
  const int on = 1;
  check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
}

/// While it lives, this process runs on the first processor that it may use.
class pinned {
 public:
  pinned() {
    check(::sched_getaffinity(0, sizeof before_, &before_) == 0, "sched_getaffinity");
    std::size_t first = 0;
    while (!CPU_ISSET(first, &before_)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    check(::sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
  }
  ~pinned() { ::sched_setaffinity(0, sizeof before_, &before_); }
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;

 private:
  cpu_set_t before_{};
};

void echo(int fd) {
  const pinned here;
  for (char byte; ::recv(fd, &byte, 1, 0) == 1;) send_byte(fd, byte);
}

void swallow(int fd) {
  std::vector<char> buffer(chunk);
  while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
  }
  send_byte(fd, swallow_please);
}

int serve() {
  const lab::unique_fd listener = make_socket();
  const sockaddr_in here = at("0.0.0.0");
  check(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0, "bind");
  check(::listen(listener.get(), 8) == 0, "listen");
  for (;;) {
    const lab::unique_fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    check(static_cast<bool>(fd), "accept");
    no_delay(fd.get());
    char kind = 0;
    if (::recv(fd.get(), &kind, 1, 0) != 1) continue;
    kind == echo_please ? echo(fd.get()) : swallow(fd.get());
  }
}

lab::unique_fd connect_to(const std::string& address, char kind) {
  lab::unique_fd fd = make_socket();
  const sockaddr_in there = at(address.c_str());
  check(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0, "connect");
  no_delay(fd.get());
  send_byte(fd.get(), kind);
  return fd;
}

void ping(const std::string& address, std::size_t rounds) {
  const pinned here;
  const lab::unique_fd fd = connect_to(address, echo_please);
  std::vector<double> times;
  times.reserve(rounds);
  for (std::size_t i = 0; i < rounds + rounds / 10; ++i) {
    const double time = seconds_of([&] {
      send_byte(fd.get(), 'x');
      char back = 0;
      check(::recv(fd.get(), &back, 1, 0) == 1, "recv");
    });
    if (i >= rounds / 10) times.push_back(time);  // the first tenth warms up
  }
  fmt::print("{}\n", spread_of(std::move(times)).median * 1e6);
}

void fill(const std::string& address, std::size_t bytes) {
  const lab::unique_fd fd = connect_to(address, swallow_please);
  const std::vector<char> buffer(chunk, 'x');
  const double time = seconds_of([&] {
    for (std::size_t sent = 0; sent < bytes;) {
      const ssize_t n = ::send(fd.get(), buffer.data(), std::min(chunk, bytes - sent), MSG_NOSIGNAL);
      check(n > 0, "send");
      sent += static_cast<std::size_t>(n);
    }
    ::shutdown(fd.get(), SHUT_WR);
    char done = 0;
    check(::recv(fd.get(), &done, 1, 0) == 1, "recv");
  });
  fmt::print("{}\n", static_cast<double>(bytes) * 8 / time / 1e9);
}

}  // namespace

bool is_traffic(std::string_view role) noexcept {
  return role == "serve" || role == "ping" || role == "fill";
}

int play_traffic(const std::vector<std::string>& arguments) {
  const std::string& role = arguments.at(0);
  try {
    if (role == "serve") return serve();
    const auto play = role == "ping" ? ping : fill;
    play(arguments.at(1), std::stoul(arguments.at(2)));
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", role, e.what());
    return 1;
  }
}

}  // namespace halfopen::bench
