#ifndef HALFOPEN_UNIQUE_FD_HPP
#define HALFOPEN_UNIQUE_FD_HPP

#include <unistd.h>

#include <utility>

namespace halfopen {

/// Owns a file descriptor and closes it; -1 is none. Move-only, not synchronised.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& from) noexcept {
    if (this != &from) reset(std::exchange(from.fd_, -1));
    return *this;
  }
  ~unique_fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Not repeated on EINTR: Linux has released the descriptor by then (close(2)).
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace halfopen

#endif
