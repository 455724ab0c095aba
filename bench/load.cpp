// The load must cost less than what it measures, or it measures itself. Most of the
// cost of both sides is TCP's own, in the kernel, and the same for both; what is left
// to save here:
//
// - It spins. A client that sleeps is woken by the server's send, an interrupt to the
//   other processor that would be charged to the server.
// - Edge-triggered, one recv for all replies that are there and one send for all the
//   next requests.
// - No decoder: the bytes of the one right reply are compared. Numbers are computed
//   from the request's number, so nothing is kept for each.
//
// The requests of a connection differ, and those of two connections do, so a reply
// that went to the wrong place or twice is noticed.
//
// Closed loop: a client waits for its replies. wrk2's open loop would show latency
// under a given rate; the question here is how much a processor can do.

#include "bench/load.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace halfopen::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t request_size = 23, reply_size = 15, header_size = 7;
constexpr std::array<char, header_size> request_header{0, 0, 0, 19, '\xF5', 1, 1};
constexpr std::array<char, header_size> reply_header{0, 0, 0, 11, '\xF5', 1, 2};
constexpr std::size_t most_depth = 64;

void check(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

std::uint64_t big_endian(std::uint64_t value) {
  return std::endian::native == std::endian::big ? value : __builtin_bswap64(value);
}

// The numbers of a request: far apart, and their sum never overflows.
struct numbers {
  std::uint64_t first, second;
};
numbers numbers_of(std::uint64_t connection, std::uint64_t request) {
  const std::uint64_t mixed = (request + 1) * 0x9E3779B97F4A7C15 + (connection << 20);
  return {(mixed >> 2) - (std::uint64_t{1} << 61), mixed & 0xFFFFFFFF};
}

}  // namespace

load::load(std::uint16_t port, std::size_t connections, std::size_t depth, SSL_CTX* tls)
    : port_(port),
      depth_(depth),
      tls_(tls),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(connections) {
  check(static_cast<bool>(epoll_), "epoll_create1");
  if (depth > most_depth) throw std::system_error(EINVAL, std::generic_category(), "depth");
  for (connection& c : connections_) open(c);
  for (connection& c : connections_) static_cast<void>(ask(c, depth_));
}

void load::open(connection& c) {
  c = {};
  c.id = opened_++;
  c.fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(static_cast<bool>(c.fd), "socket");
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(port_);
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::connect(c.fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0, "connect");
  const int on = 1;
  check(::setsockopt(c.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
  if (tls_ != nullptr) {
    c.tls.reset(SSL_new(tls_), SSL_free);
    check(c.tls && SSL_set_fd(c.tls.get(), c.fd.get()) == 1 && SSL_connect(c.tls.get()) == 1,
          "TLS handshake");
    check(::fcntl(c.fd.get(), F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &c;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, c.fd.get(), &event) == 0, "epoll_ctl");
}

void load::fail(connection& c) {
  failed_ += c.sent - c.received;
  open(c);
  static_cast<void>(ask(c, depth_));  // should it fail, then the next event says so
}

bool load::send(connection& c, std::string_view bytes) {
  if (c.tls) return SSL_write(c.tls.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  return ::send(c.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

// As recv(2): with TLS all records that are here, since the next edge is for new ones.
ssize_t load::receive(connection& c, char* into, std::size_t size) {
  if (!c.tls) return ::recv(c.fd.get(), into, size, MSG_DONTWAIT);
  std::size_t all = 0, got = 0;
  while (all < size && SSL_read_ex(c.tls.get(), into + all, size - all, &got) == 1) all += got;
  if (all > 0) return static_cast<ssize_t>(all);
  const bool later = SSL_get_error(c.tls.get(), 0) == SSL_ERROR_WANT_READ;
  errno = later ? EAGAIN : EPIPE;
  return later ? -1 : 0;
}

bool load::ask(connection& c, std::size_t count) {
  std::array<char, most_depth * request_size> bytes;
  char* at = bytes.data();
  for (std::size_t i = 0; i < count; ++i, at += request_size) {
    const numbers n = numbers_of(c.id, c.sent++);
    const std::array<std::uint64_t, 2> payload{big_endian(n.first), big_endian(n.second)};
    std::memcpy(at, request_header.data(), header_size);
    std::memcpy(at + header_size, payload.data(), sizeof payload);
  }
  return send(c, {bytes.data(), count * request_size});
}

bool load::listen_to(connection& c) {
  std::array<char, 2 * most_depth * reply_size> bytes;
  std::memcpy(bytes.data(), c.part.data(), c.part.size());
  const ssize_t got = receive(c, bytes.data() + c.part_size, bytes.size() - c.part_size);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  const std::size_t size = c.part_size + static_cast<std::size_t>(got);
  const std::size_t count = size / reply_size;
  const char* at = bytes.data();
  for (std::size_t i = 0; i < count; ++i, at += reply_size) {
    const numbers n = numbers_of(c.id, c.received);
    const std::uint64_t sum = big_endian(n.first + n.second);
    if (c.received == c.sent || std::memcmp(at, reply_header.data(), header_size) != 0 ||
        std::memcmp(at + header_size, &sum, sizeof sum) != 0)
      return false;
    ++c.received;
  }
  answered_ += count;
  c.part_size = size % reply_size;
  std::memcpy(c.part.data(), at, c.part_size);
  return count == 0 || ask(c, count);
}

void load::run(std::chrono::nanoseconds time, waiting how) {
  std::array<epoll_event, 256> events;
  const auto end = clock::now() + time;
  for (unsigned turn = 0;; ++turn) {
    // A look at the clock costs as much as a small system call's entry.
    if ((how == waiting::sleep || turn % 16 == 0) && clock::now() >= end) return;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   how == waiting::spin ? 0 : 1);
    for (int i = 0; i < count; ++i) {
      connection& c = *static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!listen_to(c)) fail(c);
    }
  }
}

}  // namespace halfopen::bench
