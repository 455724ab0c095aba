#ifndef HALFOPEN_BENCH_PEERS_SERVICE_HPP
#define HALFOPEN_BENCH_PEERS_SERVICE_HPP

// What all the peers have in common: the sum service itself, with the project's own
// decoder, so that what is compared is the way the bytes come and go; and the socket
// that they listen on, so that none has another backlog or another TCP_NODELAY
// (which Linux hands down from a listener to what it accepts).

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include "halfopen/wire/binary.hpp"

namespace halfopen::bench {

/// The service on one connection.
class sum_stream {
 public:
  /// Appends the reply to every request that is whole now. False: the peer does not
  /// speak the format; send what is in replies, then close.
  [[nodiscard]] bool answer(std::string_view bytes, std::string& replies) {
    framer_.feed(bytes);
    for (;;) {
      const auto frame = framer_.next();
      if (!frame) return refuse(frame.error(), replies);
      if (!*frame) return true;
      const auto request = wire::binary::decode_request(**frame);
      if (!request) return refuse(request.error(), replies);
      replies += wire::binary::encode(wire::add(*request));
    }
  }

  /// A request has begun and is not whole.
  [[nodiscard]] bool mid_request() const noexcept { return framer_.mid_message(); }

 private:
  static bool refuse(wire::decode_error e, std::string& replies) {
    replies += wire::binary::encode(wire::sum_reply{std::unexpected(wire::answer_to(e))});
    return false;
  }

  wire::binary::framer framer_;
};

/// The socket that was handed over (sd_listen_fds(3)), else a new one on port argv[1]
/// of 127.0.0.1. It does not block.
[[nodiscard]] inline int take_listener(int argc, char** argv) {
  const auto check = [](bool good, const char* what) {
    if (!good) throw std::system_error(errno, std::generic_category(), what);
  };
  const char* pid = std::getenv("LISTEN_PID");
  if (pid != nullptr && std::atoi(pid) == ::getpid()) return 3;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(fd >= 0, "socket");
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  check(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "SO_REUSEADDR");
  check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
  check(::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0, "bind");
  check(::listen(fd, SOMAXCONN) == 0, "listen");
  return fd;
}

/// Says that all is ready.
inline void announce(std::uint16_t port) {
  fmt::print("listening on 127.0.0.1:{}\n", port);
  std::fflush(stdout);
}

[[nodiscard]] inline std::uint16_t port_of(int listener) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

/// Runs it; what it throws becomes a message and exit status 1.
template <class Program>
int run_peer(Program&& program) {
  try {
    program();
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}

}  // namespace halfopen::bench

#endif
