// The virtual clock asks for less than the lab: a processor that the kernel's patch knows,
// the kernel, and ptrace(2), with which User-Mode Linux runs its programs. Each is tried.

#include "clock/doctor.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "clock/guest.hpp"
#include "halfopen/lab/error.hpp"

namespace halfopen::clock {
namespace {

using lab::requirement;

requirement processor() {
  utsname name{};
  ::uname(&name);
  const bool met = std::string_view(name.machine) == "x86_64";
  return {"an x86-64 processor", met, true, name.machine, met ? "" : "there is no kernel for another one"};
}

/// A child that asks to be traced, as each program of a guest does.
requirement tracing() {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) < 0) ::_exit(1);
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  const bool met = child > 0 && ::waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status);
  if (met) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  return {"a process may trace its child (ptrace)", met, true, met ? "works" : "refused",
          met ? ""
              : "in a container: --security-opt seccomp=unconfined, or --cap-add SYS_PTRACE; else "
                "sudo sysctl -w kernel.yama.ptrace_scope=1"};
}

requirement kernel_is_there(const std::optional<kernel>& k) {
  return {"the virtual clock's kernel", k.has_value(), true, k ? k->executable.string() : "not there",
          k ? "" : "halfopen clock build (once a machine, some minutes)"};
}

requirement an_hour_passes(const kernel& k) {
  requirement r{"an hour passes in a guest", false, true, {}, {}};
  try {
    guest_options how;
    how.real_limit = std::chrono::seconds(60);
    job what = job_here({"sleep", "3600"});
    what.directory = "/";
    guest g(k, what, how);
    guest* const all[]{&g};
    while (!g.ended()) wait_for_any(all, std::chrono::milliseconds(100));
    r.met = g.ended()->how == guest_fate::done && g.ended()->code == 0;
    char text[64];
    std::snprintf(text, sizeof text, "in %.2f s",
                  std::chrono::duration<double>(g.ended()->real_time).count());
    r.detail = r.met ? text : in_words(*g.ended());
  } catch (const lab::error& e) {
    r.detail = e.what();
  }
  if (!r.met) r.remedy = "please report it, with what `uname -a` and /proc/cpuinfo say";
  return r;
}

}  // namespace

std::vector<requirement> examine() {
  std::vector<requirement> found{processor(), tracing()};
  const auto k = find_kernel();
  found.push_back(kernel_is_there(k));
  if (k && lab::can_run(found)) found.push_back(an_hour_passes(*k));
  return found;
}

}  // namespace halfopen::clock
