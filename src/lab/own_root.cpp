// As a container engine does it, with a mount namespace that dies with the program: nothing to unmount.
// chroot(2) and not pivot_root(2), since nothing here keeps a program in: it shall find its own files.

#include "lab/own_root.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "halfopen/lab/host.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "lab/host_init.hpp"
#include "lab/layers.hpp"

namespace halfopen::lab {
namespace {

namespace fs = std::filesystem;

bool make_folder(const std::string& path) {
  return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
}

bool make_file(const std::string& path) {
  const unique_fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  return made.get() >= 0;
}

/// Shows something of the host at the same path of the root; what the root has no folder for is left out.
bool show(const std::string& root, const std::string& path) {
  std::error_code why;
  if (!fs::exists(path, why)) return true;
  // A link of the root's own, such as /etc/resolv.conf's, would lead out of it.
  if (fs::is_symlink(root + path, why)) fs::remove(root + path, why);
  const bool folder = fs::is_directory(path, why);
  if (folder ? !make_folder(root + path) : !make_file(root + path)) return false;
  return ::mount(path.c_str(), (root + path).c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

}  // namespace

const char* enter_root_of_its_own(const std::string& folder) {
  if (::access(folder.c_str(), X_OK) < 0) return "root folder";
  if (::unshare(CLONE_NEWNS) < 0) return "root folder: mount namespace";
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) return "mount / slave";
  const std::string own = std::string(host::private_folder) + "/.root";
  const std::string root = own + "/all";
  if (!make_folder(own) || !make_folder(root)) return "root folder: making layers";
  if (!mount_above(folder, own, root)) return "root folder: overlayfs";
  if (!make_folder(root + "/etc")) return "root folder, of another user: /etc";
  for (const char* path : {"/proc", "/sys", "/dev"})
    if (!show(root, path)) return "root folder, of another user?";
  for (const char* path : files_of_names)
    if (!show(root, path)) return "root folder, of another user?";
  if (::chroot(root.c_str()) < 0) return "chroot";
  if (::chdir("/") < 0) return "chdir";
  return nullptr;
}

}  // namespace halfopen::lab
