#ifndef HALFOPEN_SRC_LAB_SPAWN_HPP
#define HALFOPEN_SRC_LAB_SPAWN_HPP

#include <signal.h>
#include <sys/types.h>

#include "halfopen/lab/process.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::lab {

/// waitid(2) by pidfd, again after a signal handler; false if there is no such child.
bool wait_for(const unique_fd& pidfd, int flags, siginfo_t& info) noexcept;

/// A started program: our ends of its pipes, nonblocking.
struct spawned {
  pid_t pid = -1;
  unique_fd pidfd, input, output, errors;
  unique_fd accept_notifications;  ///< seccomp listener, if asked for
};

/// Starts a program in the namespaces, and in the root folder, of the process `host_init`
/// (a pidfd, and its PID), as a child of this process. Throws lab::error with execve(2)'s
/// errno if it cannot be started.
spawned spawn_in(int host_init, pid_t host_init_pid, const program& what);

}  // namespace halfopen::lab

#endif
