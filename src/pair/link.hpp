#ifndef HALFOPEN_PAIR_LINK_HPP
#define HALFOPEN_PAIR_LINK_HPP

/// One connection of the robust client: from the name to the last reply, or to a line on
/// stderr that says how it ended.

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "halfopen/fate.hpp"
#include "pair/dialogue.hpp"
#include "pair/sockets.hpp"

namespace halfopen::pair {

using clock = std::chrono::steady_clock;

class link {
 public:
  link(const std::string& target, const call_options& options);

  /// Resolves the name and begins to connect.
  void open(clock::time_point now);

  /// Once connected: sends the request, as far as the kernel takes it. `line` is what it
  /// came from.
  void send(std::string_view request, std::string_view line, clock::time_point now);

  [[nodiscard]] pollfd watch() const noexcept;
  void on_ready(int revents, clock::time_point now);
  void on_time(clock::time_point now);
  [[nodiscard]] clock::time_point deadline() const noexcept;

  /// Has ended, and was reported.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// Connected, and every request is answered.
  [[nodiscard]] bool idle() const noexcept { return connected_ && waiting_.empty(); }
  /// Connected, and the pipeline takes one more request.
  [[nodiscard]] bool has_room() const noexcept;

 private:
  struct asked {
    std::string line;
    std::uint64_t begin;  // of its bytes in all that was ever sent
    std::uint64_t end;
    clock::time_point deadline;
  };

  void try_next_address(clock::time_point now);
  [[nodiscard]] bool try_address(const addrinfo& address);
  void on_connected(clock::time_point now);
  [[nodiscard]] bool send_some();
  void receive();
  void take_replies();

  [[nodiscard]] phase where() const noexcept;
  [[nodiscard]] retry again() const noexcept;
  void fail_errno(std::string_view operation, int error, phase p);
  void fail(std::optional<ending> e, phase p, std::string_view why, retry r);

  const call_options& options_;
  std::string target_;
  std::string name_;

  address_list addresses_;
  const addrinfo* next_address_ = nullptr;
  clock::time_point connect_by_ = clock::time_point::max();  // this address
  clock::time_point open_by_ = clock::time_point::max();     // all of them
  int connect_error_ = 0;                                    // of the address before

  descriptor fd_;
  asking talk_;
  wire::byte_queue out_;
  std::uint64_t handed_ = 0;  // bytes that the kernel has taken
  std::deque<asked> waiting_;
  bool answered_ = false;  // at least one request was
  bool connected_ = false;
  bool failed_ = false;
};

}  // namespace halfopen::pair

#endif
