#ifndef HALFOPEN_SRC_JUDGE_BUSY_HPP
#define HALFOPEN_SRC_JUDGE_BUSY_HPP

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "halfopen/lab/host.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::judge {

/// How busy the programs of a host are, from its making on, of one processor: the time in which
/// a thread ran, of the time in which it was not waiting for the processor that others had. So
/// a loop that never waits is seen on a loaded machine too.
class busy_watch {
 public:
  explicit busy_watch(const lab::host& h);
  /// 0 if they ran for less than `least_run`.
  [[nodiscard]] double busy() const;

  /// Seconds in which the host's programs ran.
  [[nodiscard]] double ran() const;

  /// Who ran for less did not spin: the scheduler gives a loop more than that of any second.
  static constexpr double least_run = 0.01;

 private:
  /// By thread: seconds in which it ran, and in which it waited to run.
  [[nodiscard]] std::vector<std::pair<double, double>> since_then() const;

  const lab::host& host_;
  std::map<std::string, std::pair<double, double>> before_;  ///< the same, by name
  trace::time_point began_;
};

}  // namespace halfopen::judge

#endif
