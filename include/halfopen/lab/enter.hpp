#ifndef HALFOPEN_LAB_ENTER_HPP
#define HALFOPEN_LAB_ENTER_HPP

#include <functional>

namespace halfopen::lab {

/// Runs `body` in a world of its own and returns what it returned.
///
/// The world is a set of new namespaces: PID, mount, network, IPC and UTS, and
/// for an ordinary user a user namespace in which that user is root. Everything
/// started inside dies with it, whichever way this process ends, kill -9
/// included, because the world's init is killed by the kernel when this process
/// dies (PR_SET_PDEATHSIG, prctl(2)), and with a PID namespace's init die all of
/// its processes (pid_namespaces(7)). The file system is the host's own;
/// mounts made inside are not seen outside.
///
/// `body` runs in a forked process. This process meanwhile passes SIGINT,
/// SIGTERM and SIGHUP on to it, and waits.
///
/// Returns body's result, or 128 + N if signal N ended it.
/// Throws lab::error if the kernel refuses the namespaces: `halfopen doctor`
/// tells why and what to do.
/// Call it from a process with one thread (user_namespaces(7)).
int enter(const std::function<int()>& body);

/// True inside a world that enter() made.
[[nodiscard]] bool entered() noexcept;

}  // namespace halfopen::lab

#endif
