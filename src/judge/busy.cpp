// Does a server burn the processor while it should wait? Processor time alone does not tell: on a
// machine with thirty others to run, a loop that never waits gets a few hundredths of a second's
// share of each second. So the time in which it was ready and another one ran is taken off.

#include "judge/busy.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "halfopen/lab/experiment.hpp"

namespace halfopen::judge {
namespace {

/// Processor time of a thread by its clock ticks (proc_pid_stat(5)).
double seconds_by_ticks(const std::filesystem::path& task) {
  std::ifstream file(task / "stat");
  std::string text;
  std::getline(file, text);
  const auto after_name = text.rfind(") ");  // a name may contain anything
  unsigned long user = 0;
  unsigned long system = 0;
  // Fields 3 to 13 stand between the name and utime.
  if (after_name == std::string::npos ||
      std::sscanf(text.c_str() + after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                  &system) != 2)
    return 0;
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// By thread: seconds in which it ran, and in which it was ready and another one ran. The numbers
/// of schedstat are explained in the kernel's Documentation/scheduler/sched-stats.rst; a kernel
/// without them leaves the ticks.
std::map<std::string, std::pair<double, double>> times_of_threads(const lab::host& h) {
  std::map<std::string, std::pair<double, double>> all;
  for (const pid_t pid : h.pids()) {
    std::error_code why;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", why)) {
      std::ifstream file(task.path() / "schedstat");
      double ran = 0;
      double waited = 0;
      const bool known = static_cast<bool>(file >> ran >> waited) && ran > 0;
      all[task.path().string()] =
          known ? std::pair(ran / 1e9, waited / 1e9) : std::pair(seconds_by_ticks(task.path()), 0.0);
    }
  }
  return all;
}

}  // namespace

busy_watch::busy_watch(const lab::host& h)
    : host_(h), before_(times_of_threads(h)), began_(lab::experiment::now()) {}

std::vector<std::pair<double, double>> busy_watch::since_then() const {
  std::vector<std::pair<double, double>> all;
  for (const auto& [thread, now] : times_of_threads(host_)) {
    const auto had = before_.find(thread);
    const auto [ran, waited] = had == before_.end() ? std::pair(0.0, 0.0) : had->second;
    all.emplace_back(now.first - ran, now.second - waited);
  }
  return all;
}

double busy_watch::ran() const {
  double all = 0;
  for (const auto& [ran, waited] : since_then()) all += ran;
  return all;
}

double busy_watch::busy() const {
  const double elapsed = std::chrono::duration<double>(lab::experiment::now() - began_).count();
  double all = 0;
  double all_ran = 0;
  for (const auto& [ran, waited] : since_then()) {
    all_ran += ran;
    all += ran / std::max(elapsed - waited, std::max(ran, 1e-6));
  }
  return all_ran < least_run ? 0 : all;
}

}  // namespace halfopen::judge
