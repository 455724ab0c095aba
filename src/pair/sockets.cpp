// The sockets API's corners, once: names, addresses, errno's text.

#include "pair/sockets.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "pair/pair.hpp"

namespace halfopen::pair {
namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  return code == std::errc{} && end == text.data() + text.size();
}

void set_option(int fd, int level, int name, int value) noexcept {
  static_cast<void>(setsockopt(fd, level, name, &value, sizeof value));
}

}  // namespace

std::string errno_text(int error) {
  const char* name = strerrorname_np(error);
  return fmt::format("{} ({})", name ? name : "E?", strerrordesc_np(error) ? strerrordesc_np(error) : "?");
}

std::string endpoint::text() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::expected<endpoint, std::string> parse_endpoint(std::string_view text) {
  endpoint where{{}, std::to_string(default_port)};
  std::string_view rest;  // what follows the host, from the colon on
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::unexpected("no closing ']'");
    where.host = text.substr(1, bracket - 1);
    rest = text.substr(bracket + 1);
  } else if (std::ranges::count(text, ':') > 1) {
    where.host = text;  // an IPv6 address without brackets has no port
  } else {
    const std::size_t colon = text.find(':');
    where.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (where.host.empty()) return std::unexpected("no host");
  if (!rest.empty()) {
    if (!rest.starts_with(':') || !is_port(rest.substr(1)))
      return std::unexpected("the port is no number up to 65535");
    where.port = rest.substr(1);
  }
  return where;
}

std::expected<address_list, std::string> resolve(const endpoint& where, bool passive) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const int error = getaddrinfo(where.host.c_str(), where.port.c_str(), &hints, &found);
  if (error == EAI_SYSTEM) return std::unexpected(errno_text(errno));
  if (error != 0) return std::unexpected(std::string{gai_strerror(error)});
  return address_list{found};
}

std::expected<descriptor, std::string> listen_on(const endpoint& where, bool reuse_address,
                                                 int socket_flags) {
  const auto failed = [&where](std::string_view call) {
    return std::unexpected(fmt::format("{} {}: {}", call, where.text(), errno_text(errno)));
  };
  const auto addresses = resolve(where, true);
  if (!addresses) return std::unexpected("resolve: " + addresses.error());
  const addrinfo& first = **addresses;
  descriptor listener{::socket(first.ai_family, first.ai_socktype | socket_flags, first.ai_protocol)};
  if (!listener) return failed("socket");
  if (reuse_address) set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(listener.get(), first.ai_addr, first.ai_addrlen) != 0) return failed("bind");
  if (::listen(listener.get(), SOMAXCONN) != 0) return failed("listen");
  return listener;
}

std::string address_text(const sockaddr_storage& address, socklen_t size) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  // sockaddr_storage is made to be seen as any sockaddr (POSIX, sys/socket.h).
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (getnameinfo(generic, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "?";
  return endpoint{host, port}.text();
}

std::string local_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "?";
  return address_text(address, size);
}

}  // namespace halfopen::pair
