#ifndef HALFOPEN_SRC_AUDIT_PROC_HPP
#define HALFOPEN_SRC_AUDIT_PROC_HPP

/// \file
/// What /proc tells of processes (proc(5)). What vanishes meanwhile is not there.

#include <string>
#include <string_view>
#include <vector>

#include "halfopen/audit.hpp"

namespace halfopen::audit {

/// All that can be seen, in the order of their PIDs, without names and containers. `network` is 0 where it
/// may not be read.
[[nodiscard]] std::vector<process> all_processes();

/// Reads its name and its container, as they are now: a process may have become another program.
void describe(process& p);

/// It is in a user namespace that this user has made, such as a rootless container. There the user may look
/// at every process, also at those that run as a sub-UID (user_namespaces(7), "Capabilities").
[[nodiscard]] bool is_in_user_namespace_of(pid_t pid, uid_t user);

/// The container that a control group's path (a line of /proc/PID/cgroup) names: the id that Docker, Podman,
/// containerd and CRI-O put there, or the name of an LXC container or of a systemd machine. Empty: none.
[[nodiscard]] std::string container_of(std::string_view cgroups);

/// A descriptor that is a socket of any kind.
struct open_socket {
  int descriptor = -1;
  std::uint64_t inode = 0;
};
/// The error is the errno of opening /proc/PID/fd.
[[nodiscard]] std::expected<std::vector<open_socket>, int> open_sockets(pid_t pid);

/// A number of /proc/net/netstat, such as ("TcpExt:", "ListenOverflows"), of the calling thread's network
/// namespace.
[[nodiscard]] std::optional<std::uint64_t> netstat(std::string_view text, std::string_view section,
                                                   std::string_view name);

/// A whole small file; empty if it cannot be read.
[[nodiscard]] std::string text_of(const std::string& path);

}  // namespace halfopen::audit

#endif
