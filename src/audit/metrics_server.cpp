// The least HTTP server that Prometheus asks for. The project's own server (src/net) runs an event loop of
// its own; a watch has one already, and answers once in fifteen seconds.

#include "audit/metrics_server.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace halfopen::audit {
namespace {

constexpr std::size_t most_callers = 16;
constexpr std::size_t longest_request = 8192;
constexpr std::chrono::seconds patience_with_a_caller{5};

struct freer {
  void operator()(addrinfo* a) const noexcept { ::freeaddrinfo(a); }
};

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::expected<metrics_server, std::string> metrics_server::at(const std::string& where) {
  const auto colon = where.rfind(':');
  std::string host = colon == std::string::npos ? "" : where.substr(0, colon);
  const std::string port = colon == std::string::npos ? where : where.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "127.0.0.1";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (!is_port(port) || ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0)
    return std::unexpected("'" + where + "' is no place such as :9100 or 127.0.0.1:9100");
  const std::unique_ptr<addrinfo, freer> address(found);
  unique_fd door(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (door) ::setsockopt(door.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!door || ::bind(door.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(door.get(), 16) != 0)
    return std::unexpected("cannot listen at " + where + ": " + std::strerror(errno));
  sockaddr_in6 own{};
  socklen_t size = sizeof own;
  ::getsockname(door.get(), reinterpret_cast<sockaddr*>(&own), &size);
  return metrics_server(std::move(door), ntohs(own.sin6_port));  // at the same place in sockaddr_in
}

std::vector<int> metrics_server::descriptors() const {
  std::vector<int> all{door_.get()};
  for (const caller& c : callers_) all.push_back(c.fd.get());
  return all;
}

void metrics_server::serve(const std::function<std::string()>& text) {
  const auto now = std::chrono::steady_clock::now();
  while (callers_.size() < most_callers) {
    unique_fd fd(::accept4(door_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) break;
    callers_.push_back({std::move(fd), {}, {}, now + patience_with_a_caller});
  }
  std::erase_if(callers_, [&](caller& c) { return now > c.until || !go_on(c, text); });
}

/// False when it is done with.
bool metrics_server::go_on(caller& c, const std::function<std::string()>& text) {
  std::array<char, 4096> some{};
  while (c.answer.empty()) {
    const ssize_t n = ::recv(c.fd.get(), some.data(), some.size(), 0);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0 || c.said.size() > longest_request) return false;
    c.said.append(some.data(), static_cast<std::size_t>(n));
    c.answer = answer_to(c.said, text);
  }
  while (!c.answer.empty()) {
    const ssize_t n = ::send(c.fd.get(), c.answer.data(), c.answer.size(), MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    c.answer.erase(0, static_cast<std::size_t>(n));
  }
  ::shutdown(c.fd.get(), SHUT_WR);
  return false;
}

std::string answer_to(const std::string& said, const std::function<std::string()>& text) {
  if (said.find("\r\n\r\n") == std::string::npos && said.find("\n\n") == std::string::npos) return {};
  const std::string line = said.substr(0, said.find('\n'));
  std::string status = "200 OK";
  std::string body;
  if (line.starts_with("GET /metrics ") || line.starts_with("GET /metrics?"))
    body = text();
  else if (line.starts_with("GET "))
    status = "404 Not Found", body = "see /metrics\n";
  else
    status = "405 Method Not Allowed", body = "GET /metrics\n";
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: "
      "{}\r\nConnection: "
      "close\r\n\r\n{}",
      status, body.size(), body);
}

}  // namespace halfopen::audit
