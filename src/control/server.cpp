#include "control/server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/request.hpp"

namespace halfopen::control {
namespace {

constexpr std::size_t most_clients = 256;
/// Who does not read what a command says, as fast as it says it, is not waited for: the system is.
constexpr std::size_t most_unread = 64U << 20;

}  // namespace

server::server(lab::experiment& lab, lab::unique_fd listener) : lab_(lab), listener_(std::move(listener)) {
  lab_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_all(); });
}

server::~server() {
  lab_.unwatch(listener_.get());
  for (const auto& [c, l] : clients_) lab_.unwatch(l.socket.get());
}

std::optional<server::incoming> server::next() {
  if (lines_.empty()) return std::nullopt;
  incoming first = std::move(lines_.front());
  lines_.pop_front();
  return first;
}

void server::accept_all() {
  for (;;) {
    lab::unique_fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    if (clients_.size() >= most_clients) continue;  // it finds its connection closed
    const client c = ++last_;
    line& l = clients_[c];
    l.socket = std::move(socket);
    watch(c, l);
  }
}

void server::watch(client c, line& l) {
  const std::uint32_t events =
      (l.at_end ? 0U : std::uint32_t{EPOLLIN}) | (l.out.empty() ? 0U : std::uint32_t{EPOLLOUT});
  lab_.watch(l.socket.get(), events, [this, c](std::uint32_t happened) { on_event(c, happened); });
}

void server::forget(client c) {
  lab_.unwatch(clients_.at(c).socket.get());
  clients_.erase(c);
}

void server::on_event(client c, std::uint32_t events) {
  const auto found = clients_.find(c);
  if (found == clients_.end()) return;
  line& l = found->second;
  const bool gone = (events & (std::uint32_t{EPOLLHUP} | std::uint32_t{EPOLLERR})) != 0;
  if (!read(c, l) || gone || !write(l) || l.is_done()) return forget(c);
  watch(c, l);
}

void server::take(client c, line& l, std::string text) {
  lines_.push_back({c, std::move(text)});
  ++l.unanswered;
}

/// False if the client has gone.
bool server::read(client c, line& l) {
  char buffer[65536];
  while (!l.at_end) {
    const ssize_t n = ::recv(l.socket.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    l.at_end = n == 0;
    l.in.append(buffer, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; (end = l.in.find('\n', begin)) != std::string::npos; begin = end + 1)
      take(c, l, l.in.substr(begin, end - begin));
    l.in.erase(0, begin);
    if (l.in.size() <= longest_line) continue;
    take(c, l, std::exchange(l.in, {}));  // it is refused for its length
    l.at_end = true;
  }
  return true;
}

bool server::write(line& l) {
  while (!l.out.empty()) {
    const ssize_t n = ::send(l.socket.get(), l.out.data(), l.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    l.out.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

void server::tell(client to, const nlohmann::json& what) {
  const auto found = clients_.find(to);
  if (found == clients_.end()) return;
  line& l = found->second;
  l.out += what.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (what.contains("ok") && l.unanswered > 0) --l.unanswered;
  if (!write(l) || l.out.size() > most_unread || l.is_done()) return forget(to);
  watch(to, l);
}

void server::finish() {
  lab_.until(
      [&] {
        for (const auto& [c, l] : clients_)
          if (!l.out.empty()) return false;
        return true;
      },
      std::chrono::seconds(1));
}

}  // namespace halfopen::control
