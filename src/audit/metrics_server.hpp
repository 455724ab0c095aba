#ifndef HALFOPEN_SRC_AUDIT_METRICS_SERVER_HPP
#define HALFOPEN_SRC_AUDIT_METRICS_SERVER_HPP

#include <chrono>
#include <expected>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "halfopen/unique_fd.hpp"

namespace halfopen::audit {

/// Answers GET /metrics, one request a connection, without ever blocking: whoever is slow is cut off, and
/// no more than a few are served at a time. Not thread-safe.
class metrics_server {
 public:
  /// ":9100", "9100", "127.0.0.1:9100", "[::1]:9100", "0.0.0.0:9100". Without an address: loopback. The error
  /// is a sentence.
  [[nodiscard]] static std::expected<metrics_server, std::string> at(const std::string& where);

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// To be polled for reading.
  [[nodiscard]] std::vector<int> descriptors() const;

  /// Takes who has come, and goes on with those that are there. `text` is called once for each answer.
  void serve(const std::function<std::string()>& text);

 private:
  struct caller {
    unique_fd fd;
    std::string said, answer;
    std::chrono::steady_clock::time_point until;
  };
  metrics_server(unique_fd door, std::uint16_t port) : door_{std::move(door)}, port_{port} {}
  static bool go_on(caller& c, const std::function<std::string()>& text);

  unique_fd door_;
  std::uint16_t port_ = 0;
  std::list<caller> callers_;
};

/// The whole answer to a request whose head is `said`; empty while it is not whole.
[[nodiscard]] std::string answer_to(const std::string& said, const std::function<std::string()>& text);

}  // namespace halfopen::audit

#endif
