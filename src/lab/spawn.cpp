// Starting a program inside a host, as our own child.
//
// A PID namespace is entered only by children made after setns(2), so there is a
// middle process; it makes the program with CLONE_PARENT (clone(2)), so that the
// program is nevertheless a child of the lab, which can wait for it, hold it and
// read its true wait status.
//
// One socket carries everything the new process has to say before it becomes the
// program: the errno of a failed step, or the seccomp listener. It closes on
// exec, and end-of-file means success.

#include "lab/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/host.hpp"
#include "lab/messages.hpp"
#include "lab/namespaces.hpp"
#include "lab/own_root.hpp"

namespace halfopen::lab {
namespace {

struct message {
  enum class kind { failed, child, listener } what{};
  int errno_value = 0;
  pid_t pid = 0;
  char step[40] = {};
};

void tell(int line, message m, const char* step, int descriptor = -1) {
  std::strncpy(m.step, step, sizeof m.step - 1);
  (void)send_message(line, &m, sizeof m, descriptor);
}

[[noreturn]] void fail(int line, const char* step) {
  tell(line, {message::kind::failed, errno, 0, {}}, step);
  ::_exit(127);
}

/// From here on accept(2) and accept4(2) ask the lab first. io_uring_setup is
/// only reported: what a ring accepts, seccomp does not see (seccomp(2)).
void install_accept_filter(int line) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) fail(line, "seccomp_init");
  for (const int call : {SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(io_uring_setup)})
    if (const int r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, call, 0); r < 0) {
      errno = -r;
      fail(line, "seccomp_rule_add");
    }
  if (const int r = seccomp_load(filter); r < 0) {
    errno = -r;
    fail(line, "seccomp_load");
  }
  const int listener = seccomp_notify_fd(filter);
  tell(line, {message::kind::listener, 0, 0, {}}, "listener", listener);
  ::close(listener);
  seccomp_release(filter);
}

/// Signals as a shell would hand them to a program: none blocked, none ignored.
void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int s = 1; s < SIGRTMIN; ++s)
    if (s != SIGKILL && s != SIGSTOP) ::signal(s, SIG_DFL);
}

/// The host's own folder first, so that the program's environment can say otherwise.
void set_environment(const std::vector<std::string>& entries) {
  if (::access(host::private_folder, F_OK) == 0)
    for (const char* name : {"TMPDIR", "HALFOPEN_DIR"}) ::setenv(name, host::private_folder, 1);
  for (const std::string& entry : entries) {
    const auto equals = entry.find('=');
    if (equals != std::string::npos) ::setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
  }
}

[[noreturn]] void become_program(int line, const program& what, const int (&ends)[3],
                                 const std::string& folder) {
  for (int i = 0; i < 3; ++i)
    if (::dup2(ends[i], i) < 0) fail(line, "dup2");
  ::setsid();
  if (!what.root.empty()) {
    if (const char* failed = enter_root_of_its_own(what.root)) fail(line, failed);
    ::setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  } else if (::chdir(folder.c_str()) < 0 && ::chdir("/") < 0) {  // the host's mount namespace led to its root
    fail(line, "chdir");
  }
  set_environment(what.environment);
  std::vector<char*> argv;
  for (const std::string& a : what.argv) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  reset_signals();
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // the lab's user may have descriptors that are not
  if (what.accept_like || what.watch_accepts) install_accept_filter(line);
  ::execvp(argv[0], argv.data());
  fail(line, argv[0]);
}

/// The middle process: enters the host, makes the program, says its PID.
[[noreturn]] void middle(int line, int host_init, pid_t host_init_pid, const program& what,
                         const int (&ends)[3]) {
  char folder[4096] = "/";
  if (::getcwd(folder, sizeof folder) == nullptr) std::strcpy(folder, "/");
  const int kinds = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
  // A mount namespace leads to its own root, which is another one than init's where the lab is in a chroot.
  const std::string of_init = "/proc/" + std::to_string(host_init_pid) + "/root";
  const unique_fd root(::open(of_init.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) fail(line, "the host's root");
  if (::setns(host_init, kinds) < 0) fail(line, "entering the host");
  if (::fchdir(root.get()) < 0 || ::chroot(".") < 0) fail(line, "entering the host's root");
  const pid_t child = clone_into(CLONE_PARENT);
  if (child < 0) fail(line, "clone");
  if (child == 0) become_program(line, what, ends, folder);
  tell(line, {message::kind::child, 0, child, {}}, "child");
  ::_exit(0);
}

struct pipe_pair {
  unique_fd read, write;
};

pipe_pair make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw error("pipe", errno);
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

void make_nonblocking(const unique_fd& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

}  // namespace

bool wait_for(const unique_fd& pidfd, int flags, siginfo_t& info) noexcept {
  for (;;) {
    info = {};
    if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, flags) == 0) return true;
    if (errno != EINTR) return false;
  }
}

spawned spawn_in(int host_init, pid_t host_init_pid, const program& what) {
  if (what.argv.empty()) throw error("a program without a name");
  pipe_pair in = make_pipe();
  pipe_pair out = make_pipe();
  pipe_pair err = make_pipe();
  // On a busy machine the lab may read late, and whoever logs much would wait for it. No more than
  // the system allows (fcntl(2), /proc/sys/fs/pipe-max-size); with less it works as well.
  constexpr int roomy = 1 << 20;
  for (const pipe_pair* p : {&out, &err}) ::fcntl(p->write.get(), F_SETPIPE_SZ, roomy);
  int lines[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lines) < 0) throw error("socketpair", errno);
  const unique_fd ours(lines[0]);
  unique_fd theirs(lines[1]);

  const pid_t helper = ::fork();
  if (helper < 0) throw error("fork", errno);
  if (helper == 0)
    middle(theirs.get(), host_init, host_init_pid, what, {in.read.get(), out.write.get(), err.write.get()});
  theirs.reset();
  while (::waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {
  }

  spawned result;
  message m;
  std::string failure;
  int why = 0;
  while (receive_message(ours.get(), &m, sizeof m, result.accept_notifications)) {
    if (m.what == message::kind::child) result.pid = m.pid;
    if (m.what == message::kind::failed) {
      failure = m.step;
      why = m.errno_value;
    }
  }
  if (!failure.empty()) {
    if (result.pid > 0) ::waitpid(result.pid, nullptr, 0);  // it is at its _exit(2)
    throw error("cannot start " + what.argv[0] + " (" + failure + ")", why);
  }
  result.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, result.pid, 0)));
  if (!result.pidfd) throw error("pidfd_open", errno);
  result.input = std::move(in.write);
  result.output = std::move(out.read);
  result.errors = std::move(err.read);
  for (const unique_fd* fd : {&result.input, &result.output, &result.errors}) make_nonblocking(*fd);
  return result;
}

}  // namespace halfopen::lab
