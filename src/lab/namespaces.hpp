#ifndef HALFOPEN_SRC_LAB_NAMESPACES_HPP
#define HALFOPEN_SRC_LAB_NAMESPACES_HPP

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::lab {

/// fork(2) with namespaces: 0 in the child, its PID in the parent, -1 and errno
/// on failure. If `pidfd` is given, a descriptor of the child is stored there.
pid_t clone_into(std::uint64_t flags, unique_fd* pidfd = nullptr) noexcept;

/// In a fresh user namespace: the user outside becomes root inside.
bool map_root_to(uid_t uid, gid_t gid) noexcept;

/// A reference to one of this thread's namespaces: "net", "pid", "mnt".
unique_fd own_namespace(const char* kind);

/// Writes a whole small file such as a sysctl; false and errno on failure.
bool write_file(const std::string& path, std::string_view text) noexcept;

/// While it lives, this thread is in another network namespace. Sockets made
/// meanwhile belong to that namespace for good.
class network_visit {
 public:
  explicit network_visit(int network_namespace);
  ~network_visit();
  network_visit(const network_visit&) = delete;
  network_visit& operator=(const network_visit&) = delete;

 private:
  unique_fd home_;
};

}  // namespace halfopen::lab

#endif
