#ifndef HALFOPEN_SRC_LAB_LOOP_HPP
#define HALFOPEN_SRC_LAB_LOOP_HPP

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::lab {

/// One thread's view of everything that can happen: descriptors and timers.
/// Small on purpose: the experiment must stop between any two events, which
/// loops that own the control flow make hard.
class loop {
 public:
  using clock = std::chrono::steady_clock;
  using handler = std::function<void(std::uint32_t events)>;

  loop();

  /// Calls `on_ready` when one of the epoll(7) events is there. One watch a descriptor.
  void watch(int fd, std::uint32_t events, handler on_ready);
  /// Forgets it; harmless if it is not watched. Call before closing.
  void forget(int fd) noexcept;

  void at(clock::time_point when, std::function<void()> action);

  /// Waits for at most `limit`, then calls what is due. Throws interrupted.
  void turn(clock::duration limit);

 private:
  void run_timers();

  unique_fd epoll_;
  std::map<int, std::shared_ptr<handler>> watched_;
  std::multimap<clock::time_point, std::function<void()>> timers_;
};

}  // namespace halfopen::lab

#endif
