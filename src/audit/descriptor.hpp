#ifndef HALFOPEN_SRC_AUDIT_DESCRIPTOR_HPP
#define HALFOPEN_SRC_AUDIT_DESCRIPTOR_HPP

#include <optional>

#include "halfopen/audit.hpp"
#include "halfopen/unique_fd.hpp"

namespace halfopen::audit {

/// Copies descriptors of one process (pidfd_getfd(2)). A copy keeps the socket open, so it must not live
/// long.
class process_descriptors {
 public:
  explicit process_descriptors(pid_t pid) noexcept;

  /// A copy of that descriptor, if it is the socket with that inode still.
  [[nodiscard]] unique_fd copy(int descriptor, std::uint64_t inode) noexcept;

  /// The kernel does not allow it (EPERM, EACCES).
  [[nodiscard]] bool refused() const noexcept { return refused_; }

 private:
  unique_fd pidfd_;
  bool refused_ = false;
};

/// Its options, by getsockopt(2); nothing if it is no TCP socket.
[[nodiscard]] std::optional<socket_options> options_of(int fd, socket_state state);

/// The whole socket, by its descriptor alone: for one that sock_diag(7) does not list. Nothing if it is no
/// TCP socket, or was never connected. It may be one that listens.
[[nodiscard]] std::optional<tcp_socket> socket_of_descriptor(int fd);

}  // namespace halfopen::audit

#endif
