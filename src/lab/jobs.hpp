#ifndef HALFOPEN_SRC_LAB_JOBS_HPP
#define HALFOPEN_SRC_LAB_JOBS_HPP

/// \file
/// Experiments side by side, a process each: one that crashes, hangs or leaks is its own
/// problem, each has one thread and one order of events, and the kernel shares the cores out.
/// Most of their time is waiting, so there may be many more of them than cores.

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace halfopen::lab {

struct job_end {
  std::size_t index = 0;
  std::string text;     ///< what the job gave
  std::string problem;  ///< why it gave nothing: "its process died of signal 9"
  /// What it cost: the time that its process, and the descendants that it or they waited for,
  /// had a processor, in user mode and in the kernel (wait4(2)).
  std::chrono::microseconds processor{};
};

struct job_options {
  std::size_t count = 0;
  std::size_t at_once = 64;
  std::chrono::milliseconds limit{60'000};  ///< of one job; what takes longer hangs, and is killed
  const char* name = "halfopen-job";        ///< of its processes
  std::function<void(std::size_t index)> started;
  std::function<void(job_end)> ended;
  std::function<void()> tick;  ///< ten times a second or more; none: nobody is woken for it
  /// Asked before a job is begun while others are under way, and after a no again and again, at
  /// least every 20 ms: under the virtual clock that would keep time from jumping. None: always.
  std::function<bool(std::size_t under_way)> may_start;
};

/// Runs body(0) to body(count - 1), each in a forked process, and hands over what they return.
/// After SIGINT, SIGTERM or SIGHUP no more are begun, and those under way end: false then.
/// Needs one thread, as fork(2) does; changes the process's dispositions of these signals.
bool run_jobs(const job_options& options, const std::function<std::string(std::size_t index)>& body);

}  // namespace halfopen::lab

#endif
