#include "judge/pace.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <string>

namespace halfopen::judge {
namespace {

/// Of each processor's next second so much may be owed: it is what keeps all of them at work
/// between two looks.
constexpr double most_owed = 0.25;
/// A machine of which less is idle is busy.
constexpr double idle_enough = 0.1;
constexpr double least_time_between_looks = 0.05;

}  // namespace

std::optional<processor_times> processor_times_now() {
  std::ifstream file("/proc/stat");
  std::string name;
  std::array<double, 8> ticks{};  // user nice system idle iowait irq softirq steal
  if (!(file >> name) || name != "cpu") return std::nullopt;
  for (double& t : ticks)
    if (!(file >> t)) return std::nullopt;
  const auto second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return processor_times{(ticks[3] + ticks[4]) / second,
                         std::accumulate(ticks.begin(), ticks.end(), 0.0) / second};
}

pace::pace(double cost, unsigned processors, time_point now)
    : cost_(std::max(cost, 0.001)), processors_(std::max(processors, 1U)), last_(now) {}

void pace::look(const std::optional<processor_times>& times, time_point now) {
  const double elapsed = std::chrono::duration<double>(now - last_).count();
  if (elapsed < least_time_between_looks) return;
  last_ = now;
  owed_ = std::max(0.0, owed_ - elapsed * processors_);
  if (times && before_ && times->all > before_->all)
    busy_ = 1 - std::clamp((times->idle - before_->idle) / (times->all - before_->all), 0.0, 1.0);
  before_ = times;
}

bool pace::may_start(std::size_t under_way) const {
  if (under_way == 0) return true;
  if (owed_ > most_owed * processors_) return false;
  return under_way < least() || busy_ < 1 - idle_enough;
}

void pace::started() {
  owed_ += cost_;
}

}  // namespace halfopen::judge
