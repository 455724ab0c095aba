// The sockets API's corners, once: names, addresses, errno's text, and liveness.
//
// Liveness. A peer whose host died says nothing, so silence has to be given a
// meaning, in two cases that Linux treats apart (net/ipv4/tcp_timer.c):
//
// - nothing is in flight: SO_KEEPALIVE probes an idle connection; its defaults, two
//   hours and 9 probes 75 s apart, are RFC 9293's (section 3.8.4) and of no use here.
// - data is in flight: keepalive rests, and retransmission goes on for 15 minutes;
//   TCP_USER_TIMEOUT (RFC 5482) limits it.
//
// The two must be set together: with a user timeout, tcp_keepalive_timer() no longer
// counts probes but asks, each time it fires, whether the peer was silent for the user
// timeout. One that is shorter than idle + interval * count cuts keepalive short, and a
// longer one prolongs it. Retransmission in turn ends late, since its clock starts with
// the first retransmission and its timers are coarse: set to 3 and 10 s it took 3.9 and
// 11.1 s (Linux 6.18). So the user timeout lies between the last two firings of the
// keepalive timer: an idle connection ends at the last one, and a busy one not later.
//
//     notice within   idle   interval   count   user timeout
//          3 s          1        1        2         2.25 s
//         10 s          4        2        3         8.5 s
//         60 s         15       15        3        48.75 s
//
// Less than 2 s cannot be had for an idle connection: the options count in seconds, and
// at least one probe must have gone unanswered. The user timeout also ends a connection
// whose peer lives but keeps its window closed for so long (tcp_probe_timer()).

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

void descriptor::reset(int fd) noexcept {
  // Not retried on EINTR: Linux has released the descriptor by then (close(2)).
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

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

void set_liveness(int fd, std::chrono::milliseconds notice_within) noexcept {
  if (notice_within.count() <= 0) return;
  // The kernel takes at most 32767 s for the two times (MAX_TCP_KEEPIDLE in net/tcp.h).
  const int seconds = static_cast<int>(std::clamp<std::int64_t>(notice_within.count() / 1000, 2, 32'767));
  const int interval = std::max(1, seconds / 4);
  const int count = std::clamp((seconds - 1) / interval, 1, 3);
  const int idle = seconds - count * interval;
  const int user_timeout = (idle + (count - 1) * interval) * 1000 + interval * 250;
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
             static_cast<int>(std::min<std::int64_t>(notice_within.count(), user_timeout)));
}

}  // namespace halfopen::pair
