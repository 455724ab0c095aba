#include "lab/test_acceptor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <thread>

namespace halfopen::lab {
namespace {

using words = std::set<std::string>;

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

/// "10.0.0.1, nonblocking, cloexec", and what reading it gives.
void describe(int fd, const sockaddr_in6& peer, socklen_t size) {
  char address[INET6_ADDRSTRLEN] = "nobody";
  if (size >= sizeof peer) ::inet_ntop(AF_INET6, &peer.sin6_addr, address, sizeof address);
  std::string line = std::string("accepted from ") + address;
  if ((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) line += ", nonblocking";
  if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0) line += ", cloexec";
  char buffer[64];
  const ssize_t n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  say(line + (n >= 0 ? ", read " + std::to_string(n) : std::string(", read ") + ::strerrorname_np(errno)));
  ::close(fd);
}

void accept_for_ever(int listener, const words& how) {
  for (;;) {
    pollfd ready{listener, POLLIN, 0};
    if (how.contains("poll") || (how.contains("nonblocking") && !how.contains("eager")))
      ::poll(&ready, 1, -1);
    sockaddr_in6 peer{};
    socklen_t size = sizeof peer;
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    const int fd = how.contains("accept4") ? ::accept4(listener, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
                                           : ::accept(listener, address, &size);
    if (fd >= 0)
      describe(fd, peer, size);
    else
      say(::strerrorname_np(errno));
    if (fd < 0 && (how.contains("full") || how.contains("eager"))) ::usleep(10'000);
  }
}

volatile sig_atomic_t spare = -1;

/// Takes every descriptor; SIGUSR1 gives one back.
void fill_up() {
  const rlimit few{32, 32};
  ::setrlimit(RLIMIT_NOFILE, &few);
  for (int fd; (fd = ::dup(0)) >= 0;) spare = fd;
  struct sigaction action{};
  action.sa_handler = [](int) { ::close(spare); };
  ::sigaction(SIGUSR1, &action, nullptr);
}

}  // namespace

int run_acceptor(int argc, char** argv) {
  const words how(argv + 2, argv + argc);
  if (how.contains("alarm")) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    ::sigaction(SIGUSR1, &action, nullptr);
  }
  const int listener =
      ::socket(AF_INET6, SOCK_STREAM | (how.contains("nonblocking") ? int{SOCK_NONBLOCK} : 0), 0);
  sockaddr_in6 here{};
  here.sin6_family = AF_INET6;
  here.sin6_port = htons(7);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&here), sizeof here) < 0 || ::listen(listener, 16) < 0)
    return 1;
  if (how.contains("timeout")) {
    const timeval limit{0, 100'000};
    ::setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  if (how.contains("fork") && ::fork() == 0) {
    ::close(listener);
    say("the child is alone");
    for (;;) ::pause();
  }
  if (how.contains("child") && ::fork() > 0) {
    ::close(listener);
    for (;;) ::pause();
  }
  if (how.contains("full")) fill_up();
  if (how.contains("thread")) std::thread([&] { accept_for_ever(listener, how); }).join();
  accept_for_ever(listener, how);
  return 0;
}

int run_flood(const char* address) {
  sockaddr_in6 there{};
  there.sin6_family = AF_INET6;
  there.sin6_port = htons(9);
  const std::string text = std::strchr(address, ':') != nullptr ? address : std::string("::ffff:") + address;
  ::inet_pton(AF_INET6, text.c_str(), &there.sin6_addr);
  const int fd = ::socket(AF_INET6, SOCK_DGRAM, 0);
  say("up");
  for (const char byte = 'x';;)
    (void)!::sendto(fd, &byte, 1, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there);
}

}  // namespace halfopen::lab
