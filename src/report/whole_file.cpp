// A report that is half there is worse than none: a CI server reads it, and finds a truncated XML or
// the results of yesterday's cases. So the new text becomes a file of its own first, and takes the
// place of the old one by rename(2), which is atomic.
//
// Until then it has no name where the file system can do that (O_TMPFILE in open(2): ext4, xfs,
// btrfs, tmpfs, overlayfs), so that even kill -9 leaves nothing behind. link(2) gives the name, and
// replaces nothing; so where a report was before, the new one has a second name for the moment
// between two system calls. Elsewhere it has one from the beginning.
//
// No fsync: after a power cut the tests are run again.

#include "report/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <random>

#include "halfopen/unique_fd.hpp"

namespace halfopen::report {
namespace {

namespace fs = std::filesystem;

/// 0, or an errno.
using error_number = int;

std::expected<void, std::string> told(const std::string& path, error_number error) {
  if (error == 0) return {};
  return std::unexpected("cannot write " + path + ": " + std::strerror(error));
}

/// Some file systems tell only now that there was no room.
error_number close(unique_fd& fd) {
  return ::close(fd.release()) == 0 || errno == EINTR ? 0 : errno;
}

/// Signals that would end the program wait until this is gone.
class signals_held {
 public:
  signals_held() {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGXFSZ}) sigaddset(&set, s);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
  }
  ~signals_held() {
    // A file that became too long (ulimit -f) is told by an errno: that is enough.
    sigset_t too_long;
    sigemptyset(&too_long);
    sigaddset(&too_long, SIGXFSZ);
    const timespec at_once{};
    if (sigismember(&before_, SIGXFSZ) == 0) ::sigtimedwait(&too_long, nullptr, &at_once);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;

 private:
  sigset_t before_{};
};

error_number write_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

/// Where a symbolic link leads, whether there is something or not.
fs::path behind_links(fs::path path) {
  constexpr int most_links = 40;  // as the kernel, path_resolution(7)
  std::error_code why;
  for (int i = 0; i < most_links && fs::is_symlink(path, why); ++i)
    path = path.parent_path() / fs::read_symlink(path, why);
  return path;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// The descriptor of this process that the path is a name of. To open such a name would begin a file
/// that somebody else writes too at its first byte.
std::optional<int> descriptor_behind(const std::string& path) {
  if (path == standard_output || path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    int fd = -1;
    const char* const end = path.data() + path.size();
    const auto [stop, why] = std::from_chars(path.data() + folder.size(), end, fd);
    if (why == std::errc{} && stop == end && fd >= 0) return fd;
  }
  return std::nullopt;
}

error_number write_in_place(const char* path, int flags, std::string_view text) {
  unique_fd file(::open(path, O_WRONLY | O_CLOEXEC | flags));
  if (!file) return errno;
  const error_number error = write_text(file.get(), text);
  return error != 0 ? error : close(file);
}

/// The new report, until it has its name.
class draft {
 public:
  explicit draft(const fs::path& folder) : folder_(folder) {
    fd_.reset(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
    if (!fd_)
      with_name([&](const char* name) {
        fd_.reset(::open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
        return fd_ ? 0 : errno;
      });
  }
  ~draft() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  draft(const draft&) = delete;
  draft& operator=(const draft&) = delete;

  /// Why there is none; 0 if there is.
  [[nodiscard]] error_number problem() const noexcept { return error_; }

  [[nodiscard]] error_number write(std::string_view text) const { return write_text(fd_.get(), text); }

  void become_like(const struct stat& before) const {
    // Only root may give a file away, and only so far as its user namespace reaches.
    [[maybe_unused]] const int ignored = ::fchown(fd_.get(), before.st_uid, before.st_gid);
    [[maybe_unused]] const int ignored_too = ::fchmod(fd_.get(), before.st_mode & 07777U);
  }

  [[nodiscard]] error_number take_the_place_of(const fs::path& path, bool exists) {
    if (name_.empty()) {
      if (!exists && link_to(path.c_str()) == 0) return 0;  // else it came into being meanwhile
      if (with_name([&](const char* name) { return link_to(name); }) != 0) return error_;
    }
    if (const error_number error = close(fd_); error != 0) return error;
    if (::rename(name_.c_str(), path.c_str()) < 0) return errno;
    name_.clear();
    return 0;
  }

 private:
  [[nodiscard]] error_number link_to(const char* path) const {
    const std::string self = fmt::format("/proc/self/fd/{}", fd_.get());
    return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
  }

  /// Tries names until one is free.
  template <class Make>
  error_number with_name(Make&& make) {
    std::random_device chance;
    do {
      const fs::path name = folder_ / fmt::format(".halfopen-{:08x}{:08x}.tmp", chance(), chance());
      error_ = make(name.c_str());
      if (error_ == 0) name_ = name;
    } while (error_ == EEXIST);
    return error_;
  }

  fs::path folder_, name_;
  unique_fd fd_;
  error_number error_ = 0;
};

/// The folder takes no other file in its place.
bool must_be_in_place(error_number error) {
  return error == EACCES || error == EPERM || error == EROFS || error == EBUSY;
}

error_number replace(const fs::path& path, const struct stat* before, std::string_view text) {
  const signals_held hold;
  draft made(folder_of(path));
  if (made.problem() != 0) return made.problem();
  if (const error_number error = made.write(text); error != 0) return error;
  if (before != nullptr) made.become_like(*before);
  return made.take_the_place_of(path, before != nullptr);
}

error_number may_write(const std::string& path) {
  struct stat there{};
  if (::stat(path.c_str(), &there) == 0) {
    if (S_ISDIR(there.st_mode)) return EISDIR;
    return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0 ? 0 : errno;
  }
  if (errno != ENOENT || path.empty()) return errno;
  if (path.ends_with('/')) return EISDIR;
  const fs::path folder = folder_of(behind_links(path));
  if (::stat(folder.c_str(), &there) < 0) return errno;
  if (!S_ISDIR(there.st_mode)) return ENOTDIR;
  return ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

error_number write(const std::string& path, std::string_view text) {
  if (const auto fd = descriptor_behind(path)) {
    std::fflush(nullptr);
    return write_text(*fd, text);
  }
  if (const error_number error = may_write(path); error != 0) return error;
  struct stat before{};
  const bool exists = ::stat(path.c_str(), &before) == 0;
  if (exists && !S_ISREG(before.st_mode)) return write_in_place(path.c_str(), 0, text);
  const error_number error = replace(behind_links(path), exists ? &before : nullptr, text);
  return exists && must_be_in_place(error) ? write_in_place(path.c_str(), O_TRUNC, text) : error;
}

}  // namespace

std::expected<void, std::string> can_write_file(const std::string& path) {
  return told(path, path == standard_output ? 0 : may_write(path));
}

std::expected<void, std::string> write_whole_file(const std::string& path, std::string_view text) {
  return told(path, write(path, text));
}

}  // namespace halfopen::report
