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

#include "judge/decide/client.hpp"

namespace halfopen::judge {
namespace {

/// By the kernel's clock ticks (proc_pid_stat(5)): whether it is ready, and how long it ran.
thread_activity by_ticks(const std::filesystem::path& task) {
  std::ifstream file(task / "stat");
  std::string text;
  std::getline(file, text);
  const auto after_name = text.rfind(") ");  // a name may contain anything
  char state = 0;
  unsigned long user = 0;
  unsigned long system = 0;
  // Fields 4 to 13 stand between the state and utime.
  if (after_name == std::string::npos ||
      std::sscanf(text.c_str() + after_name + 2, "%c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state,
                  &user, &system) != 3)
    return {};
  return {.ran = static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
          .ready = state == 'R'};
}

/// The numbers of schedstat are explained in the kernel's Documentation/scheduler/sched-stats.rst; a
/// kernel without them leaves the ticks.
std::map<std::string, thread_activity> activity_of_threads(const lab::host& h) {
  std::map<std::string, thread_activity> all;
  for (const pid_t pid : h.pids()) {
    std::error_code why;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", why)) {
      // First whether it is ready: a wait that begins after that is short.
      thread_activity now = by_ticks(task.path());
      std::ifstream file(task.path() / "schedstat");
      double ran = 0;
      double waited = 0;
      if (file >> ran >> waited && ran > 0) {
        now.ran = ran / 1e9;
        now.waited = waited / 1e9;
      }
      all[task.path().string()] = now;
    }
  }
  return all;
}

}  // namespace

/// Of the two clocks, and of the moments at which they are read.
static constexpr double slack = 0.005;

std::optional<double> share_of(std::span<const thread_activity> threads, double elapsed, double waits_below) {
  double share = 0;
  double ran = 0;
  bool ready = false;
  bool fits = true;
  for (const thread_activity& t : threads) {
    ran += t.ran;
    share += t.ran / std::max(elapsed - t.waited, std::max(t.ran, 1e-6));
    ready = ready || t.ready;
    // A wait that began before the watch counts whole.
    fits = fits && t.ran + t.waited <= elapsed + slack;
  }
  if (ran < least_run) return ready ? std::nullopt : std::optional(0.0);
  // A loop that never waits is ready whenever one looks; who is not, had much to do, and waits now.
  if (share >= too_busy) return ready && fits ? std::optional(share) : std::nullopt;
  return ready || share >= waits_below ? std::nullopt : std::optional(share);
}

busy_watch::busy_watch(const lab::host& h)
    : host_(h), before_(activity_of_threads(h)), began_(lab::experiment::now()) {}

std::vector<thread_activity> busy_watch::since_then() const {
  std::vector<thread_activity> all;
  for (const auto& [thread, now] : activity_of_threads(host_)) {
    const auto had = before_.find(thread);
    const thread_activity before = had == before_.end() ? thread_activity{} : had->second;
    all.push_back({.ran = now.ran - before.ran, .waited = now.waited - before.waited, .ready = now.ready});
  }
  return all;
}

double busy_watch::ran() const {
  double all = 0;
  for (const thread_activity& t : since_then()) all += t.ran;
  return all;
}

std::optional<double> busy_watch::share(double waits_below) const {
  return share_of(since_then(), std::chrono::duration<double>(lab::experiment::now() - began_).count(),
                  waits_below);
}

std::optional<double> busy_watch::share(lab::experiment& lab, std::chrono::milliseconds most,
                                        double waits_below) const {
  constexpr std::chrono::milliseconds pause{20};
  const auto until = lab::experiment::now() + most;
  auto known = share(waits_below);
  while (!known && lab::experiment::now() < until) {
    lab.run_for(pause);
    known = share(waits_below);
  }
  return known;
}

}  // namespace halfopen::judge
