#ifndef HALFOPEN_SRC_JUDGE_PACE_HPP
#define HALFOPEN_SRC_JUDGE_PACE_HPP

/// \file
/// When may the next case begin? Most of a case's time is waiting, so there may be many side by side; but
/// all that are started at once want the processors at once, and a program that takes a second of
/// processor time to start then takes a minute.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace halfopen::judge {

/// What the machine's processors did, from /proc/stat (proc_stat(5)), in seconds since the machine
/// started, of all processors together.
struct processor_times {
  double idle = 0, all = 0;
};
[[nodiscard]] std::optional<processor_times> processor_times_now();

/// Starts cost processor time; it is owed until the processors have had the time to do it. A start is
/// allowed while little is owed, and while a processor has been idle lately or few cases are under way.
/// Pure but for what it is told. Not thread-safe.
class pace {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `cost`: seconds of processor time that a case takes; `processors`: how many there are.
  pace(double cost, unsigned processors, time_point now);

  /// Tells what the processors did; at most some times a second is enough.
  void look(const std::optional<processor_times>& times, time_point now);
  [[nodiscard]] bool may_start(std::size_t under_way) const;
  /// A case was started.
  void started();

  /// So many run side by side on a machine that others keep busy.
  [[nodiscard]] std::size_t least() const noexcept { return 2 * std::size_t{processors_}; }
  /// Of its time, how much of the machine was busy lately, from 0 to 1.
  [[nodiscard]] double busy() const noexcept { return busy_; }

 private:
  double cost_;
  unsigned processors_;
  time_point last_;
  double owed_ = 0;  ///< seconds of processor time
  double busy_ = 0;
  std::optional<processor_times> before_;
};

}  // namespace halfopen::judge

#endif
