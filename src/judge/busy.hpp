#ifndef HALFOPEN_SRC_JUDGE_BUSY_HPP
#define HALFOPEN_SRC_JUDGE_BUSY_HPP

#include <map>
#include <string>
#include <utility>

#include "halfopen/lab/host.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::judge {

/// How busy the programs of a host are, from its making on, of one processor: the time in which
/// a thread ran, of the time in which it was not waiting for the processor that others had. So
/// a loop that never waits is seen on a loaded machine too.
class busy_watch {
 public:
  explicit busy_watch(const lab::host& h);
  [[nodiscard]] double busy() const;

 private:
  const lab::host& host_;
  std::map<std::string, std::pair<double, double>> before_;  ///< by thread: seconds it ran, and waited to run
  trace::time_point began_;
};

}  // namespace halfopen::judge

#endif
