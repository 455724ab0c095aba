#ifndef HALFOPEN_SRC_JUDGE_WAITS_HPP
#define HALFOPEN_SRC_JUDGE_WAITS_HPP

#include <optional>

#include "halfopen/lab/host.hpp"
#include "judge/decide/client.hpp"

namespace halfopen::judge {

/// What runs on that socket now: its own bytes that are not acknowledged decide.
[[nodiscard]] waiting waits_for(const lab::socket_view& s) noexcept;

/// Of the socket with that inode, by the options that it really has (pidfd_getfd(2)); nothing
/// if the socket cannot be looked at.
[[nodiscard]] std::optional<wait_length> length_of_wait(const lab::host& h, std::uint64_t inode,
                                                        waiting what_for);

/// Every thread of the host's programs stands in a system call that has no time limit: no timer
/// of their own will wake them. Nothing if that cannot be seen (/proc/PID/syscall needs
/// ptrace's rights, proc(5)). Timers whose expiry is a signal or a descriptor (setitimer(2),
/// timerfd_create(2)) make it false.
[[nodiscard]] std::optional<bool> waits_without_limit(const lab::host& h);

/// The state letter of proc(5), 'R' for one that runs or wants to; 'X' if there is no such process.
[[nodiscard]] char process_state(pid_t pid);

}  // namespace halfopen::judge

#endif
