#ifndef HALFOPEN_SRC_AUTOPSY_TIMELINE_HPP
#define HALFOPEN_SRC_AUTOPSY_TIMELINE_HPP

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::autopsy {

/// How many events fell into which time, in a bounded number of equal steps, whatever the whole span
/// is and in whatever order they come. Not thread-safe.
class timeline {
 public:
  static constexpr std::size_t most_steps = 60;

  void add(trace::time_point when);

  struct bucket {
    trace::time_point begins;
    std::uint64_t events = 0;
  };
  /// From the first event's step to the last one's, empty ones too.
  [[nodiscard]] std::vector<bucket> steps() const;
  /// Of one.
  [[nodiscard]] std::chrono::nanoseconds step() const noexcept { return step_; }

 private:
  [[nodiscard]] std::int64_t slot_of(trace::time_point when) const noexcept;
  void widen();

  std::chrono::nanoseconds step_ = std::chrono::milliseconds{1};
  std::map<std::int64_t, std::uint64_t> slots_;  ///< by the time divided by the step
};

/// "▁▂█": the highest is the most.
[[nodiscard]] std::string sparkline(const std::vector<timeline::bucket>& steps);

}  // namespace halfopen::autopsy

#endif
