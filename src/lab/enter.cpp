// The lab's world, and why nothing of it is left behind.
//
// Three processes: the one that calls enter() stays outside and only waits; its
// child is init of a new PID namespace; init's child runs the body. Whoever is
// killed, the rest follows:
//   - outside dies: init has PR_SET_PDEATHSIG, the kernel kills it;
//   - init dies: the kernel kills every process of its PID namespace, nested
//     ones included (kernel/pid_namespace.c, zap_pid_ns_processes);
//   - the body dies: init sees it and ends with its status.
// Namespaces, mounts and virtual cables live only as long as a process uses
// them, so there is nothing to clean up, and no clean-up code that a kill -9
// could skip. (One thing outlives a kill -9, inside the kernel and for at most some
// two minutes: a network namespace in which a socket without an owner still repeats
// its FIN to nobody, net/ipv4/tcp_timer.c, tcp_orphan_retries.) Signal handlers, lock files and a janitor
// process were the alternatives; each leaves a moment in which a kill leaks something.
//
// The body is not init itself, because init is deaf to signals without a
// handler (signal(7)), adopts every orphan, and is what sanitizers and test
// frameworks least expect to run in.

#include "halfopen/lab/enter.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "lab/namespaces.hpp"

namespace halfopen::lab {
namespace {

bool inside = false;

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The signals that are passed on; one that this process ignores (nohup(1), a
/// shell's background job) stays ignored.
sigset_t forwarded_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now{};
    ::sigaction(s, nullptr, &now);
    if (now.sa_handler != SIG_IGN) sigaddset(&set, s);
  }
  return set;
}

/// Waits for `child`; passes signals on to it. As init it reaps every orphan too.
int wait_and_forward(pid_t child, bool is_init) {
  const sigset_t set = forwarded_signals();
  for (;;) {
    int status = 0;
    for (pid_t gone; (gone = ::waitpid(is_init ? -1 : child, &status, WNOHANG)) > 0;)
      if (gone == child) return exit_code(status);
    siginfo_t info;
    if (::sigwaitinfo(&set, &info) > 0 && info.si_signo != SIGCHLD) ::kill(child, info.si_signo);
  }
}

/// While it lives, children are not reaped by the kernel behind our back, as they
/// are where SIGCHLD is ignored (wait(2)); such a disposition is inherited.
class default_sigchld {
 public:
  default_sigchld() {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &action, &before_);
  }
  ~default_sigchld() { ::sigaction(SIGCHLD, &before_, nullptr); }
  default_sigchld(const default_sigchld&) = delete;
  default_sigchld& operator=(const default_sigchld&) = delete;

 private:
  struct sigaction before_{};
};

/// Failures inside the new world are told through a pipe: errno and the step.
struct report {
  int errno_value;
  char step[60];
};

[[noreturn]] void give_up(int pipe, const char* step) {
  report r{errno, {}};
  std::snprintf(r.step, sizeof r.step, "%s", step);
  (void)!::write(pipe, &r, sizeof r);
  ::_exit(1);
}

int run_body(const std::function<int()>& body) {
  try {
    return body();
  } catch (const interrupted&) {
    return 130;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "halfopen: %s\n", e.what());
    return 3;
  }
}

[[noreturn]] void world_init(const std::function<int()>& body, unique_fd pipe, const sigset_t& old_mask,
                             uid_t uid, gid_t gid) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) give_up(pipe.get(), "prctl PR_SET_PDEATHSIG");
  // The outside may have died before that call: then nobody reads the pipe.
  pollfd outside{pipe.get(), 0, 0};
  if (::poll(&outside, 1, 0) == 1 && (outside.revents & POLLERR) != 0) ::_exit(1);
  // A terminal's Ctrl-C goes to the outside process alone, which passes it on:
  // one path for a signal, and virtual hosts never see the user's keyboard.
  ::setsid();
  if (uid != 0 && !map_root_to(uid, gid)) give_up(pipe.get(), "writing /proc/self/uid_map");
  // Slave, not private: a disk that the user mounts later is seen inside too.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) give_up(pipe.get(), "mount / slave");
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) < 0)
    give_up(pipe.get(), "mounting /proc");
  const pid_t child = ::fork();
  if (child < 0) give_up(pipe.get(), "fork");
  if (child == 0) {
    pipe.reset();
    ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
    inside = true;
    std::exit(run_body(body));
  }
  pipe.reset();  // end-of-file says: all is set up
  ::_exit(wait_and_forward(child, true));
}

}  // namespace

bool entered() noexcept {
  return inside;
}

namespace {

/// Looked up once, before there is another mount namespace: from there on the kernel names a file of a chroot
/// by its path outside.
const std::string& executable_as_first_seen() {
  static const std::string path = [] {
    std::error_code why;
    return std::filesystem::read_symlink("/proc/self/exe", why).string();
  }();
  return path;
}

}  // namespace

std::string own_executable() {
  if (executable_as_first_seen().empty())
    throw error("this program's own file is not known: /proc is not mounted");
  return executable_as_first_seen();
}

int enter(const std::function<int()>& body) {
  (void)executable_as_first_seen();
  std::fflush(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw error("pipe", errno);
  unique_fd read_end(ends[0]);
  unique_fd write_end(ends[1]);

  const default_sigchld reaped_by_us;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  sigset_t old_mask;
  const sigset_t set = forwarded_signals();
  ::sigprocmask(SIG_BLOCK, &set, &old_mask);

  const pid_t init = clone_into(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                                (uid == 0 ? 0U : unsigned{CLONE_NEWUSER}));
  if (init < 0) {
    const int why = errno;
    ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
    throw error("cannot make namespaces", why);
  }
  if (init == 0) {
    read_end.reset();
    world_init(body, std::move(write_end), old_mask, uid, gid);
  }
  write_end.reset();

  report r{};
  const bool failed = ::read(read_end.get(), &r, sizeof r) == sizeof r;
  const int code = wait_and_forward(init, false);
  ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
  if (failed) throw error(std::string("cannot set up the lab's world: ") + r.step, r.errno_value);
  return code;
}

}  // namespace halfopen::lab
