#ifndef HALFOPEN_PAIR_TEST_PROCESS_HPP
#define HALFOPEN_PAIR_TEST_PROCESS_HPP

/// For tests: a function run as a process of its own with pipes for its standard
/// streams, and the raw other end of a connection. Nothing here waits longer than
/// `patience`.

#include <sys/wait.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "pair/sockets.hpp"

namespace halfopen::pair::test {

inline constexpr std::chrono::milliseconds patience{20'000};

/// What can be read from fd until it ends, `enough` bytes are there, or time is up.
[[nodiscard]] std::string read_some(int fd, std::size_t enough = SIZE_MAX,
                                    std::chrono::milliseconds wait = patience);

/// One line with its LF, or what there was of it.
[[nodiscard]] std::string read_line(int fd, std::chrono::milliseconds wait = patience);

/// Everything up to the end of the stream was read within the time.
[[nodiscard]] bool at_end(int fd, std::chrono::milliseconds wait = patience);

void write_all(int fd, std::string_view bytes);

class process {
 public:
  /// Forks. Only the standard streams are inherited.
  explicit process(const std::function<int()>& run);
  ~process();  ///< kills it
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  [[nodiscard]] int in() const noexcept { return in_.get(); }
  [[nodiscard]] int out() const noexcept { return out_.get(); }
  [[nodiscard]] int err() const noexcept { return err_.get(); }
  void close_in() noexcept { in_.reset(); }
  void signal(int number) const noexcept;
  void stop() const noexcept;  ///< SIGSTOP, and waits until it took effect

  /// The exit status, 128 + N for death by signal N, or -1 if it did not end in time.
  [[nodiscard]] int wait();
  [[nodiscard]] std::chrono::microseconds cpu_time() const noexcept { return cpu_time_; }  ///< after wait()

 private:
  descriptor in_, out_, err_;
  pid_t id_ = -1;
  std::chrono::microseconds cpu_time_{};
};

[[nodiscard]] descriptor connect_to(std::uint16_t port);

/// A listener of the test's own, to play a server that misbehaves.
class fake_server {
 public:
  fake_server();
  [[nodiscard]] descriptor accept() const;
  [[nodiscard]] std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  descriptor listener_;
  std::uint16_t port_ = 0;
};

/// close() that sends an RST.
void reset(descriptor& connection);

}  // namespace halfopen::pair::test

#endif
