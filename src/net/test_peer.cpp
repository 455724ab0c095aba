// Plain blocking sockets with a time limit of their own (SO_RCVTIMEO, SO_SNDTIMEO), so
// that a test whose peer is stuck fails and does not hang.

#include "net/test_peer.hpp"

#include <dirent.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

namespace halfopen::net::test {
namespace {

using asio::ip::tcp;

void set_options(int fd) {
  timeval t{};
  t.tv_sec = patience / std::chrono::seconds(1);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

unique_fd socket_for(const tcp::endpoint& e) {
  unique_fd fd(::socket(e.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd) set_options(fd.get());
  return fd;
}

bool bind_to(int fd, const tcp::endpoint& e) {
  return ::bind(fd, e.data(), static_cast<socklen_t>(e.size())) == 0;
}

bool connects(int fd, const tcp::endpoint& e) {
  return ::connect(fd, e.data(), static_cast<socklen_t>(e.size())) == 0;
}

}  // namespace

unique_fd listen_here(int backlog, const char* address) {
  const tcp::endpoint any(asio::ip::make_address(address), 0);
  unique_fd fd = socket_for(any);
  if (!fd || !bind_to(fd.get(), any) || ::listen(fd.get(), backlog) != 0) std::abort();
  return fd;
}

tcp::endpoint name_of(int fd) {
  tcp::endpoint e;
  auto size = static_cast<socklen_t>(e.capacity());
  if (::getsockname(fd, e.data(), &size) == 0) e.resize(size);
  return e;
}

unique_fd accept_from(int listening) {
  pollfd watched{listening, POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(patience.count())) <= 0) return {};
  unique_fd fd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
  if (fd) set_options(fd.get());
  return fd;
}

unique_fd connect_to(const tcp::endpoint& where) {
  unique_fd fd = socket_for(where);
  if (fd && !connects(fd.get(), where)) fd.reset();
  return fd;
}

unique_fd connect_to(const tcp::endpoint& where, std::uint8_t from) {
  unique_fd fd = socket_for(where);
  const asio::ip::address_v4 source(0x7f000000U + from);
  if (fd && !(bind_to(fd.get(), {source, 0}) && connects(fd.get(), where))) fd.reset();
  return fd;
}

ends connection() {
  const unique_fd listening = listen_here();
  ends e;
  e.there = connect_to(name_of(listening.get()));
  e.here = accept_from(listening.get());
  if (!e.there || !e.here) std::abort();
  return e;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

received receive(int fd, std::size_t enough) {
  static thread_local std::array<char, 65536> buffer;
  received r;
  while (r.bytes.size() < enough) {
    const ssize_t got = ::recv(fd, buffer.data(), std::min(buffer.size(), enough - r.bytes.size()), 0);
    if (got > 0) {
      r.bytes.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    r.ended = got == 0;
    r.error = got < 0 ? errno : 0;
    break;
  }
  return r;
}

void reset(unique_fd& fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd.reset();
}

void finish(const unique_fd& fd) {
  ::shutdown(fd.get(), SHUT_WR);
}

std::size_t open_descriptors() {
  const std::unique_ptr<DIR, decltype([](DIR* d) { ::closedir(d); })> here(::opendir("/proc/self/fd"));
  std::size_t count = 0;
  while (here && ::readdir(here.get()) != nullptr) ++count;
  return count;
}

child::child(const std::function<int()>& run) {
  std::fflush(nullptr);
  id_ = ::fork();
  if (id_ == 0) {
    const int status = run();
    std::fflush(nullptr);
    ::_exit(status);
  }
}

child::~child() {
  if (id_ <= 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void child::signal(int number) const {
  if (id_ > 0) ::kill(id_, number);
}

int child::wait() {
  const auto end = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (::waitpid(id_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  id_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace halfopen::net::test
