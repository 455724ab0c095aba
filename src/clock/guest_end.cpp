#include "clock/guest_end.hpp"

#include <sys/wait.h>

#include <cstdio>

namespace halfopen::clock {
namespace {

/// The rest of the line after `mark`, at its last place in the text.
std::string line_after(std::string_view text, std::string_view mark) {
  const auto at = text.rfind(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  return std::string(text.substr(0, text.find('\n')));
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

}  // namespace

guest_end judge_end(const status& inside, std::string_view console, int wait_status) {
  guest_end end;
  end.code = inside.code;
  end.guest_time = inside.time;
  // mm/oom_kill.c, arch/um/kernel/time.c and kernel/panic.c write these.
  const std::string panic = line_after(console, "Kernel panic - not syncing: ");
  if (panic.starts_with("Out of memory") || console.contains("Out of memory: Killed process"))
    end.how = guest_fate::out_of_memory;
  else if (panic.contains("going to sleep forever"))
    end.how = guest_fate::waits_for_ever;
  else if (!panic.empty())
    end.how = guest_fate::panicked;
  else if (!inside.failure.empty())
    end.how = guest_fate::job_failed;
  else if (inside.ended)
    end.how = guest_fate::done;
  else
    end.how = guest_fate::died;
  end.detail = !panic.empty() ? panic : inside.failure;
  if (end.how == guest_fate::died) {
    const std::string how = WIFSIGNALED(wait_status)
                                ? "signal " + std::to_string(WTERMSIG(wait_status))
                                : "exit status " + std::to_string(WEXITSTATUS(wait_status));
    end.detail = how + "; its last words: " + last_line(console);
  }
  return end;
}

std::string in_words(const guest_end& end) {
  char at[64];
  std::snprintf(at, sizeof at, "%.3f s", std::chrono::duration<double>(end.guest_time).count());
  switch (end.how) {
    case guest_fate::done:
      return "the job ended with status " + std::to_string(end.code);
    case guest_fate::job_failed:
      return "the job could not be started: " + end.detail;
    case guest_fate::out_of_memory:
      return "the guest ran out of memory at " + std::string(at) + " of its time; give it more with --memory";
    case guest_fate::waits_for_ever:
      return "every process of the guest waited, and no timer was running, at " + std::string(at) +
             " of its time: it would have waited for ever";
    case guest_fate::panicked:
      return "the guest's kernel panicked at " + std::string(at) + " of its time: " + end.detail;
    case guest_fate::stood_still:
      return "the guest's time stood still at " + std::string(at) +
             ": a program computes or spins without ever waiting, which takes no time on this clock. "
             "--clock real runs it, and so does --clock virtual-plain, on which computing takes time; one "
             "that "
             "only computes for long gets more time with --standstill-limit";
    case guest_fate::too_long:
      return "the guest was ended by the real-time limit, at " + std::string(at) + " of its time";
    case guest_fate::stopped:
      return "the guest was stopped, at " + std::string(at) + " of its time";
    case guest_fate::died:
      return "the guest's kernel died: " + end.detail;
  }
  return {};
}

}  // namespace halfopen::clock
