#ifndef HALFOPEN_SRC_FATE_LOOPBACK_HPP
#define HALFOPEN_SRC_FATE_LOOPBACK_HPP

/// Real TCP sockets on loopback, for tests: a listener, and connections to it. What can
/// fail fails the test, by an exception.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace halfopen::loopback {

inline int checked(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::system_category(), call);
  return result;
}

class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
  descriptor& operator=(descriptor&& from) noexcept {
    std::swap(fd_, from.fd_);
    return *this;
  }
  ~descriptor() { close(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  void close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

template <class Value>
void set(const descriptor& fd, int level, int name, Value value) {
  checked(::setsockopt(fd.get(), level, name, &value, sizeof value), "setsockopt");
}

/// Closes it with an RST.
inline void reset(descriptor& fd) {
  set(fd, SOL_SOCKET, SO_LINGER, linger{1, 0});
  fd.close();
}

inline descriptor tcp_socket() {
  return descriptor{checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
}

/// A port of 127.0.0.1, on which somebody listens until close().
struct listener {
  descriptor fd = tcp_socket();
  sockaddr_in at{};

  listener() {
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(::bind(fd.get(), address(), sizeof at), "bind");
    checked(::listen(fd.get(), 8), "listen");
    socklen_t size = sizeof at;
    checked(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
  }
  [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&at); }
  [[nodiscard]] descriptor connect() const {
    descriptor client = tcp_socket();
    checked(::connect(client.get(), address(), sizeof at), "connect");
    return client;
  }
  [[nodiscard]] descriptor accept() const {
    return descriptor{checked(::accept(fd.get(), nullptr, nullptr), "accept")};
  }
};

struct connection {
  listener port;
  descriptor client = port.connect();
  descriptor server = port.accept();
};

/// Until something can be read or an error told; false after 5 s.
inline bool wait_for_news(const descriptor& fd) {
  pollfd news{fd.get(), POLLIN | POLLRDHUP, 0};
  return ::poll(&news, 1, 5000) == 1;
}

/// The errno of the call, 0 if it did not fail.
inline int receive(const descriptor& fd) {
  char byte = 0;
  return ::recv(fd.get(), &byte, 1, 0) < 0 ? errno : 0;
}
inline int send(const descriptor& fd, const std::string& bytes = "hello") {
  return ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 ? errno : 0;
}

}  // namespace halfopen::loopback

#endif
