#ifndef HALFOPEN_BENCH_LOAD_HPP
#define HALFOPEN_BENCH_LOAD_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "halfopen/lab/unique_fd.hpp"

struct epoll_event;
using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace halfopen::bench {

enum class waiting { spin, sleep };

/// Clients of the binary sum service in one thread: on each connection `depth`
/// requests are under way at any time, and a reply is followed by the next request.
/// Every reply is checked. Not synchronised; each member function may be called by
/// another thread once the last has returned.
class load {
 public:
  /// Connects to 127.0.0.1 and sends the first requests. With TLS by that context, if there is one.
  load(std::uint16_t port, std::size_t connections, std::size_t depth, SSL_CTX* tls = nullptr);

  /// Goes on for that long. spin: at a whole processor's cost, so that a server never
  /// has to wake us.
  void run(std::chrono::nanoseconds time, waiting how);

  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
  /// Requests without their right reply. Their connection is closed and made again.
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }

 private:
  struct connection {
    lab::unique_fd fd;
    std::shared_ptr<SSL> tls;
    std::uint64_t id = 0, sent = 0, received = 0;
    std::array<char, 16> part{};  // the beginning of a reply
    std::size_t part_size = 0;
  };

  void open(connection& c);
  bool ask(connection& c, std::size_t count);
  bool listen_to(connection& c);
  void fail(connection& c);
  static bool send(connection& c, std::string_view bytes);
  static ssize_t receive(connection& c, char* into, std::size_t size);

  std::uint16_t port_;
  std::size_t depth_;
  SSL_CTX* tls_;
  lab::unique_fd epoll_;
  std::vector<connection> connections_;
  std::uint64_t answered_ = 0, failed_ = 0, opened_ = 0;
};

}  // namespace halfopen::bench

#endif
