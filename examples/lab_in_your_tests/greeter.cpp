// The program under test: a server that greets whoever tells it a name, and a
// client. They stand for programs of yours, in any language.
//
//     greeter serve PORT
//     greeter call HOST PORT NAME

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

/// A line without its end; empty if the connection ends first, which is told.
std::string read_line(int fd) {
  std::string line;
  char byte = 0;
  for (;;) {
    const ssize_t n = ::recv(fd, &byte, 1, 0);
    if (n == 1 && byte == '\n') return line;
    if (n <= 0) {
      std::fprintf(stderr, "greeter: %s\n", n == 0 ? "end-of-file" : ::strerrorname_np(errno));
      return {};
    }
    line += byte;
  }
}

void write_line(int fd, const std::string& line) {
  const std::string text = line + "\n";
  (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

int serve(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(port);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&here), sizeof here) < 0 || ::listen(listener, 16) < 0) {
    std::perror("greeter");
    return 1;
  }
  for (;;) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) continue;  // ECONNABORTED is that client's misfortune, not ours
    const std::string name = read_line(fd);
    if (!name.empty()) write_line(fd, "hello " + name);
    ::close(fd);
  }
}

int call(const char* host, const char* port, const char* name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host, port, &hints, &found) != 0) return 1;
  const int fd = ::socket(found->ai_family, SOCK_STREAM, 0);
  const timeval two_seconds{2, 0};  // a dead host does not say so
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &two_seconds, sizeof two_seconds);
  if (::connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
    std::perror("greeter");
    return 1;
  }
  ::freeaddrinfo(found);
  write_line(fd, name);
  const std::string reply = read_line(fd);
  if (reply.empty()) return 1;
  std::printf("%s\n", reply.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "serve")
    return serve(static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10)));
  if (argc == 5 && std::string(argv[1]) == "call") return call(argv[2], argv[3], argv[4]);
  std::fprintf(stderr, "usage: greeter serve PORT | greeter call HOST PORT NAME\n");
  return 2;
}
