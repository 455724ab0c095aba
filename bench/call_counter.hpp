#ifndef HALFOPEN_BENCH_CALL_COUNTER_HPP
#define HALFOPEN_BENCH_CALL_COUNTER_HPP

#include <string>
#include <vector>

#include "bench/calls.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::bench {

/// Counts the system calls of a server that is started with this environment.
class call_counter {
 public:
  call_counter();
  ~call_counter();
  call_counter(const call_counter&) = delete;
  call_counter& operator=(const call_counter&) = delete;

  [[nodiscard]] std::vector<std::string> environment() const;
  /// So far.
  [[nodiscard]] call_counts counts() const;

 private:
  lab::unique_fd memory_;
  call_counts* counts_ = nullptr;
};

struct call_rate {
  double all = 0;
  std::string kinds;  ///< such as "recv 1.00, send 1.00, epoll_wait 0.04", the most first
};

/// Those between two moments, in calls a request.
[[nodiscard]] call_rate calls_between(const call_counts& before, const call_counts& after, double requests);

}  // namespace halfopen::bench

#endif
