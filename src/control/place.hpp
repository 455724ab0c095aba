#ifndef HALFOPEN_SRC_CONTROL_PLACE_HPP
#define HALFOPEN_SRC_CONTROL_PLACE_HPP

/// \file
/// Where a system is reached: a Unix socket that is its user's alone, named after the settings file, so that
/// several systems of several projects are up at a time, and nobody has to name them.

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::control {

/// $XDG_RUNTIME_DIR/halfopen-UID-HASH.sock, or in /tmp where there is no such folder. HASH is FNV-1a, 64
/// bits, of the settings file's absolute path without links, as 16 hexadecimal figures.
[[nodiscard]] std::string usual_place(const std::string& settings_file);

/// Listens there, for this user alone (mode 0700); what a system that was killed has left there is replaced.
/// The error is a sentence: somebody listens there already, or bind(2)'s.
[[nodiscard]] std::expected<lab::unique_fd, std::string> listen_at(const std::string& place);

struct line_to_system {
  lab::unique_fd socket;  ///< blocking
  pid_t process = 0;      ///< `halfopen up`, by the kernel's word (SO_PEERCRED, unix(7))
};
/// Connects. It is no system of another user's, root apart. The error is connect(2)'s errno; EPERM for
/// another user's.
[[nodiscard]] std::expected<line_to_system, int> connect_to(const std::string& place);

/// A place where a system of this user's is up, and the folder in which `halfopen up` was started.
struct found_system {
  std::string place, folder;
};
[[nodiscard]] std::vector<found_system> systems_that_are_up();

/// A process, in a session of its own, that removes the socket when the caller and all that it has started
/// without an exec(2) are gone, in whatever way, kill -9 included.
class remover {
 public:
  explicit remover(const std::string& place);
  /// Has it removed now, and waits for that.
  ~remover();
  remover(const remover&) = delete;
  remover& operator=(const remover&) = delete;

 private:
  lab::unique_fd line_;
  pid_t process_ = -1;
};

}  // namespace halfopen::control

#endif
