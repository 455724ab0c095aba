#ifndef HALFOPEN_SRC_AUDIT_NETWORK_NAMESPACE_HPP
#define HALFOPEN_SRC_AUDIT_NETWORK_NAMESPACE_HPP

#include <cstdint>
#include <functional>
#include <string>

#include "halfopen/unique_fd.hpp"

namespace halfopen::audit {

/// The inode of the namespace that this descriptor or path refers to; 0 if it cannot be seen.
[[nodiscard]] std::uint64_t namespace_inode(int fd);
[[nodiscard]] std::uint64_t namespace_inode(const std::string& path);

/// A descriptor of the namespace with that inode, by a path; none if it is another one.
[[nodiscard]] unique_fd open_network(const std::string& path, std::uint64_t inode);

/// Calls `work` in that network namespace, in this thread or in its place, and comes back. False, with
/// nothing called, if it may not be entered (setns(2)): it takes CAP_SYS_ADMIN there and here, or that the
/// user has made the user namespace that it belongs to, as of a rootless container.
bool in_network(int network, const std::function<void()>& work);

/// Calls `work` in the user namespace that this path names, with all rights there, and comes back. False,
/// with nothing called, if it may not be entered or is the caller's own.
bool in_user_namespace(const std::string& path, const std::function<void()>& work);

}  // namespace halfopen::audit

#endif
