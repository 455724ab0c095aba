#ifndef HALFOPEN_SRC_NET_TEST_ANSWERING_HPP
#define HALFOPEN_SRC_NET_TEST_ANSWERING_HPP

/// For tests of the client: a server that answers, and ends as it is told.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <asio/io_context.hpp>
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "halfopen/client.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net::test {

using answer = std::expected<std::string, fate>;

inline asio::awaitable<answer> ask(stream& s) {
  if (auto sent = co_await s.write("ask\n", ample); !sent) co_return std::unexpected(sent.error());
  auto reply = co_await s.read_line(100, ample);
  if (!reply) co_return std::unexpected(reply.error());
  co_return std::string(*reply);
}

/// Answers on each connection for itself, as long as it is asked.
class answering_server {
 public:
  /// What it does with the first connections, one letter each: 'a' answers one request and
  /// closes, 'r' reads one and resets, 'A' answers one and resets, 'R' resets at once, anything
  /// else answers for ever.
  explicit answering_server(std::string first = "") : first_(std::move(first)) {}
  ~answering_server() { ::shutdown(listening_.get(), SHUT_RD); }

  [[nodiscard]] std::string port() const { return std::to_string(name_of(listening_.get()).port()); }
  std::atomic<int> asked = 0;

 private:
  void accept_all() {
    for (std::size_t i = 0;; ++i) {
      unique_fd fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      const timeval soon{.tv_sec = 4, .tv_usec = 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
      const char how = i < first_.size() ? first_[i] : ' ';
      served_.emplace_back([this, how, there = std::move(fd)]() mutable { serve(std::move(there), how); });
    }
  }
  void serve(unique_fd there, char how) {
    if (how == 'R') return reset(there);
    while (receive(there.get(), 4).bytes == "ask\n") {
      ++asked;
      if (how == 'r') return reset(there);
      send_all(there.get(), "answer\n");
      if (how == 'A') return reset(there);
      if (how == 'a') return;
    }
  }

  std::string first_;
  unique_fd listening_ = [] {
    unique_fd fd = listen_here();
    const timeval never{};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never);
    return fd;
  }();
  std::vector<std::jthread> served_;
  std::jthread accepting_{[this] { accept_all(); }};
};

struct calling : testing::Test {
  asio::io_context context{1};

  client to(const answering_server& server, client_options options = {}) {
    return {context.get_executor(), "127.0.0.1", server.port(), options};
  }
  answer call(client& c, repeat may = repeat::if_safe, deadline limit = ample) {
    return play(context, c.call(ask, limit, may));
  }
  void let_it_come() {
    context.restart();
    context.run_for(std::chrono::milliseconds(20));
  }
};

}  // namespace halfopen::net::test

#endif
