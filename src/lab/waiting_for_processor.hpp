#ifndef HALFOPEN_SRC_LAB_WAITING_FOR_PROCESSOR_HPP
#define HALFOPEN_SRC_LAB_WAITING_FOR_PROCESSOR_HPP

#include <chrono>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "halfopen/lab/host.hpp"

namespace halfopen::lab {

/// What one thread had waited for a processor since it began, at one look.
struct run_delay {
  std::uint64_t process = 0;
  std::uint64_t thread = 0;  ///< no other one of any process has that number
  std::chrono::nanoseconds waited{};
};

/// How much longer threads waited from look to look. Of a process's threads the one that waited
/// longest counts, since they wait at the same time; processes are added up, since what they do
/// for each other comes one after the other.
class run_delays {
 public:
  /// The first look is where counting begins. A thread that was not there at the last one began
  /// since, and counts whole; of one that is gone counts what was seen.
  void look(std::span<const run_delay> threads);

  [[nodiscard]] std::chrono::nanoseconds so_far() const noexcept { return sum_; }

 private:
  bool begun_ = false;
  std::unordered_map<std::uint64_t, std::chrono::nanoseconds> last_;
  std::chrono::nanoseconds sum_{};
};

/// How long the programs of some hosts, and the lab itself, were kept waiting for a processor
/// while they could have run: by so much what they do may have come later than on an idle
/// machine. Counts from its making on. A wait counts when it is over. What a hypervisor takes
/// from the machine as a whole is not seen. Always 0 on a kernel that does not count it
/// (CONFIG_SCHED_INFO; Documentation/scheduler/sched-stats.rst).
///
/// The hosts must outlive it; they may crash and reboot meanwhile. Use it in the thread that has
/// the experiment. A look takes some microseconds a thread.
class waiting_for_processor {
 public:
  explicit waiting_for_processor(std::vector<const host*> hosts);

  /// Call it every so often: what a thread waited after the last look before its end is not seen.
  void look();

  /// so_far(), after a look if the last one is a while ago: what options::excused wants, as often as it asks.
  [[nodiscard]] std::chrono::nanoseconds up_to_now();

  [[nodiscard]] std::chrono::nanoseconds so_far() const noexcept { return delays_.so_far(); }

 private:
  std::chrono::steady_clock::time_point next_look_{};
  std::vector<const host*> hosts_;
  std::vector<run_delay> threads_;
  run_delays delays_;
};

}  // namespace halfopen::lab

#endif
