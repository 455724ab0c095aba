#ifndef HALFOPEN_SRC_JUDGE_BUSY_HPP
#define HALFOPEN_SRC_JUDGE_BUSY_HPP

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/host.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::judge {

/// What a thread did since a watch began.
struct thread_activity {
  double ran = 0;      ///< seconds on a processor
  double waited = 0;   ///< seconds in which it was ready and another one ran; a wait counts once it is over
  bool ready = false;  ///< it runs, or waits for a processor, at this moment
};

/// How busy they are together, of one processor: of each the time in which it ran, of the time in which
/// it was not waiting for the processor that others had. So a loop that never waits is seen on a loaded
/// machine too. Nothing if that cannot be told yet: one is ready, and may have been for all the time that
/// it did not run; or they do more than who waits does, and less than a loop.
/// `waits_below`: the share below which they are said to wait.
[[nodiscard]] std::optional<double> share_of(std::span<const thread_activity> threads, double elapsed,
                                             double waits_below);

/// Who ran for less did not spin: the scheduler gives a loop more than that of any second.
inline constexpr double least_run = 0.01;

/// How busy the programs of a host are, from its making on.
class busy_watch {
 public:
  explicit busy_watch(const lab::host& h);

  [[nodiscard]] std::optional<double> share(double waits_below) const;

  /// Lets the experiment run on until the share is known, for so long at most.
  [[nodiscard]] std::optional<double> share(lab::experiment& lab, std::chrono::milliseconds most,
                                            double waits_below) const;

  /// Seconds in which the host's programs ran.
  [[nodiscard]] double ran() const;

 private:
  [[nodiscard]] std::vector<thread_activity> since_then() const;

  const lab::host& host_;
  std::map<std::string, thread_activity> before_;  ///< by name
  trace::time_point began_;
};

}  // namespace halfopen::judge

#endif
