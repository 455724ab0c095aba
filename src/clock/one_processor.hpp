#ifndef HALFOPEN_SRC_CLOCK_ONE_PROCESSOR_HPP
#define HALFOPEN_SRC_CLOCK_ONE_PROCESSOR_HPP

#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <optional>

namespace halfopen::clock {

/// Which of a guest's processes run at the same time: none. So all of them share one processor,
/// which is left for the next one when others want it too. Not thread-safe.
class one_processor {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The next of those that this process may use, in turn. If it may use only one, or the system does
  /// not say which, nothing here does anything.
  one_processor();

  /// The calling process goes there, and what it starts from then on. Between fork(2) and execve(2).
  void enter() const noexcept;

  /// Moves the guest to the next processor if it has waited too long for this one since the last look.
  /// Does nothing if that was less than 0.25 s ago.
  void look(pid_t guest, time_point now);

 private:
  void move(pid_t guest);

  cpu_set_t allowed_{};
  int count_ = 0, here_ = 0;
  time_point looked_{};
  std::optional<std::chrono::nanoseconds> waited_;
};

/// Whether a process that waited so much of that time for its processor has too little of it. Half of a
/// guest's time its kernel's process runs, the other half its programs do: with one rival it waits for up
/// to a third, alone for less than a twentieth.
[[nodiscard]] bool is_crowded(std::chrono::nanoseconds waited, std::chrono::nanoseconds of) noexcept;

}  // namespace halfopen::clock

#endif
