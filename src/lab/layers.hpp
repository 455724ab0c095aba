#ifndef HALFOPEN_SRC_LAB_LAYERS_HPP
#define HALFOPEN_SRC_LAB_LAYERS_HPP

#include <string>

namespace halfopen::lab {

/// Mounts a folder at `at` whose files are those of `below`, which stays as it is: what is written goes to
/// `own`, a folder that is there, or is made, on a file system that can be written to (overlayfs). False:
/// errno says why. CAP_SYS_ADMIN in this user namespace.
[[nodiscard]] bool mount_above(const std::string& below, const std::string& own, const std::string& at);

}  // namespace halfopen::lab

#endif
