#ifndef HALFOPEN_SRC_LAB_OWN_ROOT_HPP
#define HALFOPEN_SRC_LAB_OWN_ROOT_HPP

#include <string>

namespace halfopen::lab {

/// Leads the calling process, which has one thread and is in a host, to a root file system of its own: what
/// it writes there goes to the host's disk (host::private_folder), and the folder stays as it is (overlayfs).
/// It sees the host's /proc, /sys and /dev, and what the host says under /etc of names. Null if all went
/// well; else the step that failed, and errno says why. CAP_SYS_ADMIN in the host's user namespace.
[[nodiscard]] const char* enter_root_of_its_own(const std::string& folder);

}  // namespace halfopen::lab

#endif
