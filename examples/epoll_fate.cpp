// A plain epoll program that says how its connections ended. All that it takes of halfopen
// are fate.hpp and liveness.hpp, so it links halfopen::fate and nothing else: no Asio.
//
//     epoll_fate ADDRESS PORT...
//
// It connects to each port of that IPv4 address, reads the lines that come, and tells each
// end. Exit codes: 0 all ended as they should, 1 some did not, 2 bad arguments.

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <halfopen/fate.hpp>
#include <halfopen/liveness.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>

using namespace std::chrono_literals;
using halfopen::fate;
using halfopen::operation;

namespace {

struct connection {
  unsigned short port = 0;
  bool open = false;
  bool mid_line = false;
};

/// Nothing while it is connecting.
std::optional<fate> begin(int fd, in_addr address, unsigned short port) {
  static_cast<void>(halfopen::report_icmp(fd));  // before connect, or the router is not known
  const sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address, .sin_zero = {}};
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EINPROGRESS)
    return {};
  return halfopen::diagnose(fd, operation::connect, errno);
}

/// The result of connect(2) is here.
std::optional<fate> opened(int poll, int fd, connection& c) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return halfopen::diagnose(fd, operation::connect, error);
  c.open = true;
  epoll_event to_read{.events = EPOLLIN, .data = {.fd = fd}};
  ::epoll_ctl(poll, EPOLL_CTL_MOD, fd, &to_read);
  // A server that dies without a word is noticed within 10 s. Not before it is open, or the
  // SYN would not be repeated for longer either.
  static_cast<void>(halfopen::set_liveness(fd, 10s));
  return {};
}

std::optional<fate> readable(int fd, connection& c) {
  std::array<char, 4096> bytes;
  const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) {
    c.mid_line = bytes[static_cast<std::size_t>(got) - 1] != '\n';
    return {};
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  const int error = got < 0 ? errno : 0;
  const auto when = c.mid_line ? halfopen::phase::receiving_reply : halfopen::phase::idle;
  fate f = halfopen::diagnose(fd, operation::read, error, when);
  // Whether an end-of-file came where bytes were owed only the program knows.
  if (got == 0 && !c.mid_line) f.how = halfopen::ending::completed;
  return f;
}

/// Closes it. Whether it ended as it should.
bool tell(int fd, const connection& c, const fate& f) {
  std::printf("port %u: %s\n    %s\n", c.port, to_string(f).c_str(), explain(f).c_str());
  ::close(fd);
  return f.how == halfopen::ending::completed;
}

}  // namespace

int main(int argc, char** argv) {
  in_addr address{};
  if (argc < 3 || ::inet_pton(AF_INET, argv[1], &address) != 1)
    return std::fprintf(stderr, "usage: epoll_fate ADDRESS PORT...\n"), 2;
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::map<int, connection> connections;
  bool all_well = true;
  for (int i = 2; i < argc; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connection c{.port = static_cast<unsigned short>(std::atoi(argv[i]))};
    const auto ended = begin(fd, address, c.port);
    if (ended) {
      all_well = tell(fd, c, *ended) && all_well;
      continue;
    }
    epoll_event to_open{.events = EPOLLOUT, .data = {.fd = fd}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &to_open);
    connections.emplace(fd, c);
  }
  while (!connections.empty()) {
    epoll_event event{};
    if (::epoll_wait(poll, &event, 1, -1) != 1) continue;
    const int fd = event.data.fd;
    connection& c = connections.at(fd);
    auto ended = c.open ? readable(fd, c) : opened(poll, fd, c);
    if (!ended) continue;
    all_well = tell(fd, c, *ended) && all_well;
    connections.erase(fd);
  }
  ::close(poll);
  return all_well ? 0 : 1;
}
