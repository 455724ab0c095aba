#include "control/relay.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/host.hpp"

namespace halfopen::control {
namespace {

constexpr std::size_t most_sessions = 1024;
constexpr std::size_t room = 256U << 10;  ///< bytes on their way, each way

/// Closed by an RST from now on (socket(7), SO_LINGER).
void close_with_reset(const lab::unique_fd& socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

/// From one socket to the other one.
struct relay::way {
  std::string bytes{};
  bool at_end = false;  ///< no more will come
  bool closed = false;  ///< ... and that has been said
  [[nodiscard]] bool wants_to_read() const { return !at_end && bytes.size() < room; }
  [[nodiscard]] bool wants_to_write() const { return !bytes.empty(); }

  /// False if a socket has failed.
  bool move(int from, int to) {
    char buffer[65536];
    while (wants_to_read()) {
      const ssize_t n = ::recv(from, buffer, sizeof buffer, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n < 0) return false;
      at_end = n == 0;
      bytes.append(buffer, static_cast<std::size_t>(n));
    }
    while (wants_to_write()) {
      const ssize_t n = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return true;
      if (n < 0) return false;
      bytes.erase(0, static_cast<std::size_t>(n));
    }
    if (at_end && !closed) {
      ::shutdown(to, SHUT_WR);
      closed = true;
    }
    return true;
  }
};

struct relay::session {
  lab::unique_fd outside, inside;
  bool connected = false;
  way in{}, out{};
};

relay::relay(lab::experiment& lab, lab::host& from, std::function<lab::host&()> to, publication what,
             lab::unique_fd listener)
    : lab_(lab), from_(from), to_(std::move(to)), what_(std::move(what)), listener_(std::move(listener)) {
  lab_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_all(); });
}

relay::~relay() {
  lab_.unwatch(listener_.get());
  for (const auto& [number, s] : sessions_)
    for (const lab::unique_fd* fd : {&s->outside, &s->inside}) lab_.unwatch(fd->get());
}

void relay::accept_all() {
  for (;;) {
    lab::unique_fd outside(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!outside) return;
    if (sessions_.size() < most_sessions)
      begin(std::move(outside));
    else
      close_with_reset(outside);
  }
}

void relay::begin(lab::unique_fd outside) {
  auto s = std::make_unique<session>();
  s->outside = std::move(outside);
  try {
    s->inside = from_.begin_to_connect(to_(), what_.port);
  } catch (const lab::error&) {
    return close_with_reset(s->outside);
  }
  const std::uint64_t number = ++last_;
  watch(number, *s);
  sessions_[number] = std::move(s);
}

void relay::watch(std::uint64_t number, session& s) {
  const auto set = [&](int fd, bool read, bool write) {
    const std::uint32_t events =
        (read ? std::uint32_t{EPOLLIN} : 0U) | (write ? std::uint32_t{EPOLLOUT} : 0U);
    // A hang-up is told whether it is asked for or not, again and again: who wants nothing is not watched.
    if (events == 0) return lab_.unwatch(fd);
    lab_.watch(fd, events, [this, number](std::uint32_t) { on_event(number); });
  };
  if (!s.connected) {
    set(s.outside.get(), false, false);
    return set(s.inside.get(), false, true);
  }
  set(s.outside.get(), s.in.wants_to_read(), s.out.wants_to_write());
  set(s.inside.get(), s.out.wants_to_read(), s.in.wants_to_write());
}

/// False if it is over.
bool relay::move(session& s) {
  if (!s.connected) {
    int why = 0;
    socklen_t size = sizeof why;
    ::getsockopt(s.inside.get(), SOL_SOCKET, SO_ERROR, &why, &size);
    if (why != 0) return close_with_reset(s.outside), false;
    sockaddr_storage peer{};
    size = sizeof peer;
    if (::getpeername(s.inside.get(), reinterpret_cast<sockaddr*>(&peer), &size) < 0) return true;  // not yet
    s.connected = true;
  }
  if (!s.in.move(s.outside.get(), s.inside.get()) || !s.out.move(s.inside.get(), s.outside.get())) {
    close_with_reset(s.outside);
    close_with_reset(s.inside);
    return false;
  }
  return !(s.in.closed && s.out.closed);
}

void relay::on_event(std::uint64_t number) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) return;
  session& s = *found->second;
  if (move(s)) return watch(number, s);
  for (const lab::unique_fd* fd : {&s.outside, &s.inside}) lab_.unwatch(fd->get());
  sessions_.erase(found);
}

}  // namespace halfopen::control
