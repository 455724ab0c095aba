#ifndef HALFOPEN_BENCH_MEASURE_HPP
#define HALFOPEN_BENCH_MEASURE_HPP

// What every measurement needs: how long something took, the median and the
// spread of many, and which machine that was on. Medians, because a machine that
// does something else for a moment spoils a mean; least and most, because a
// median alone hides how much that happened.

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace halfopen::bench {

using clock = std::chrono::steady_clock;

/// How long `action` takes, in seconds.
template <class Action>
[[nodiscard]] double seconds_of(Action&& action) {
  const auto begin = clock::now();
  action();
  return std::chrono::duration<double>(clock::now() - begin).count();
}

struct spread {
  double median = 0, least = 0, most = 0;
  std::size_t count = 0;
};

[[nodiscard]] inline spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back(), values.size()};
}

/// The value below which that share of the values lies. Sorts some of them.
[[nodiscard]] inline double at_quantile(std::vector<double>& values, double quantile) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(quantile * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<std::size_t>(at)];
}

/// One line: what was measured, its median, its spread, and what it should be.
inline void print(std::string_view what, std::string_view unit, const spread& s, std::string_view aim = "") {
  fmt::print("  {:<44} {:>8.2f} {:<7} ({:.2f} - {:.2f}, {} times){}{}\n", what, s.median, unit, s.least,
             s.most, s.count, aim.empty() ? "" : "  aim: ", aim);
  std::fflush(stdout);
}

[[nodiscard]] inline std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

/// How many processes have wanted to run, over the last minute.
[[nodiscard]] inline double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : -1;
}

inline void print_machine() {
  utsname system{};
  ::uname(&system);
  const std::time_t now = std::time(nullptr);
  fmt::print("machine   {}, {} cores\n", processor(), ::sysconf(_SC_NPROCESSORS_ONLN));
  fmt::print("kernel    {} {} {}\n", system.sysname, system.release, system.machine);
  fmt::print("compiler  g++ {}, build type {}\n", __VERSION__, BENCH_BUILD_TYPE);
  fmt::print("date      {:%Y-%m-%d %H:%M} UTC, user {}, load average {:.2f} at the start\n", fmt::gmtime(now),
             ::geteuid() == 0 ? "root" : "ordinary", load_average());
}

/// A folder for what a measured program writes; removed with the object, also after a failure.
class scratch_folder {
 public:
  scratch_folder() : path_(std::filesystem::temp_directory_path() / "halfopen-bench-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
  }
  ~scratch_folder() {
    std::error_code why;
    std::filesystem::remove_all(path_, why);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace halfopen::bench

#endif
