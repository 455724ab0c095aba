#include "lab/layers.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

namespace halfopen::lab {
namespace {

/// A path in overlayfs's options: they are parted by commas, layers by colons.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == ',' || c == ':' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

}  // namespace

bool mount_above(const std::string& below, const std::string& own, const std::string& at) {
  for (const char* part : {"", "/above", "/work"})
    if (::mkdir((own + part).c_str(), 0755) < 0 && errno != EEXIST) return false;
  const std::string options =
      "lowerdir=" + escaped(below) + ",upperdir=" + escaped(own) + "/above,workdir=" + escaped(own) + "/work";
  // `userxattr` is what a user namespace that is not the first one may use
  // (Documentation/filesystems/overlayfs.rst); a tmpfs has such attributes since Linux 6.6.
  for (const char* more : {"", ",userxattr"})
    if (::mount("overlay", at.c_str(), "overlay", 0, (options + more).c_str()) == 0) return true;
  return false;
}

}  // namespace halfopen::lab
