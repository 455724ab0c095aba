#ifndef HALFOPEN_BENCH_SERVER_PROCESS_HPP
#define HALFOPEN_BENCH_SERVER_PROCESS_HPP

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::bench {

/// How long the first thread of a process was ready to run and did not.
[[nodiscard]] double delay_seconds(pid_t pid);

/// How a server is started, apart from its arguments.
struct server_setting {
  std::optional<std::size_t> processor;  ///< the only one that it may use
  std::vector<std::string> environment;  ///< added to this program's
  int listener = -1;                     ///< handed over as descriptor 3, as sd_listen_fds(3) describes
};

/// A server program as a child of this one. It dies with the thread that started
/// it, and the destructor kills it: nothing is left behind. Not synchronised.
/// Failures are std::system_error or std::runtime_error.
class server_process {
 public:
  /// command[0] is a path. Its errors go to a file in memory, see errors().
  explicit server_process(const std::vector<std::string>& command, const server_setting& setting = {});
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// Waits until it has said "listening on ADDRESS:PORT"; the port.
  [[nodiscard]] std::uint16_t port();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool runs() const;

  /// What it used so far of any processor, user and system together.
  [[nodiscard]] double cpu_seconds() const;
  /// How long its first thread was ready to run while another program had the processor.
  [[nodiscard]] double delay_seconds() const { return bench::delay_seconds(pid_); }
  [[nodiscard]] std::size_t descriptors() const;
  /// Memory of its own that is not a file's: heap, stacks, and what it wrote to its data.
  [[nodiscard]] std::size_t anonymous_bytes() const;
  /// The end of what it wrote to stderr.
  [[nodiscard]] std::string errors() const;

  void send(int signal) const;
  /// SIGTERM, and SIGKILL for one that has not ended within the limit; whether that was needed.
  bool stop(std::chrono::milliseconds limit = std::chrono::seconds{5});

 private:
  [[nodiscard]] bool ends_within(std::chrono::milliseconds limit) const;
  void reap();

  std::string name_;
  pid_t pid_ = -1;
  lab::unique_fd handle_, output_, errors_;  // of the process; its stdout; a memfd
  std::optional<std::uint16_t> port_;
};

/// Two processors that this program may use, the second for the server. With only
/// one, both are that one, and every figure of a benchmark is worth little.
struct processors {
  std::size_t own = 0, server = 0;
};
[[nodiscard]] processors choose_processors();

/// From now on this thread runs on that processor only.
void pin_to(std::size_t processor);

/// Raises the soft limit of open descriptors to the hard one, here and so for every
/// server started later; what it is then.
std::size_t raise_descriptor_limit();

}  // namespace halfopen::bench

#endif
