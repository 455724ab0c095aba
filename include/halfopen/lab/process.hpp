#ifndef HALFOPEN_LAB_PROCESS_HPP
#define HALFOPEN_LAB_PROCESS_HPP

/// \file
/// A program that runs on a virtual host.

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/accept.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::lab {

class host;
class experiment;

/// What to start.
struct program {
  std::vector<std::string> argv;
  /// "NAME=value", on top of the lab's own. TMPDIR and HALFOPEN_DIR are host::private_folder
  /// unless this says otherwise.
  std::vector<std::string> environment;
  /// If set, the program's accept calls behave as on that kernel.
  std::optional<accept_flavour> accept_like;
  /// Its accept calls can be made to fail: see process::fail_accepts. Implied by accept_like.
  bool watch_accepts = false;
  /// If set, the folder is the program's root file system, as unpacked from a container image: an absolute
  /// path. It is not changed; what the program writes goes to the host's disk (host::private_folder). PATH is
  /// then the usual one. One program at a time of a host may have the same one. Needs overlayfs.
  std::string root{};
};

/// How a program ended (wait(2)).
struct exit_status {
  int code = 0;    ///< exit status, if it exited by itself
  int signal = 0;  ///< the signal that ended it, or 0
  trace::time_point when{};
};

/// A running program: its input, its output and its end. All of it moves only
/// while the experiment waits. Owned by its host. Not thread-safe.
class process {
 public:
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  [[nodiscard]] pid_t pid() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;  ///< argv[0] without its folders
  [[nodiscard]] host& where() const noexcept;

  /// Puts text into its standard input, as its user would. What does not fit
  /// into the pipe at once follows while the experiment waits.
  void type(std::string_view text);
  /// End-of-file on its standard input, after all that was typed.
  void close_input();

  [[nodiscard]] const std::string& output() const noexcept;  ///< standard output so far
  [[nodiscard]] const std::string& errors() const noexcept;  ///< standard error so far
  /// When it last wrote to its standard output or error.
  [[nodiscard]] std::optional<trace::time_point> last_output() const noexcept;

  [[nodiscard]] const std::optional<exit_status>& ended() const noexcept;

  /// Sends a signal; false if it has ended.
  bool signal(int number) noexcept;
  /// Holds it (SIGSTOP) until resume(): it runs no instruction, its sockets live
  /// on in the kernel. Returns once it stands still.
  void hold();
  void resume();

  /// From now on, the next accept calls of the program and of its children that find a
  /// connection to accept return these errnos, one each; the connections stay in the queue, as
  /// they do when the kernel is out of descriptors or memory (net/socket.c, do_accept). Needs
  /// program::watch_accepts or accept_like; throws lab::error without. Errnos that a call before
  /// has not yet used up are forgotten.
  void fail_accepts(std::vector<int> errnos);
  /// How many of them have not been returned yet.
  [[nodiscard]] std::size_t accept_failures_left() const noexcept;

  /// What its accept calls met; empty without accept_like or watch_accepts.
  [[nodiscard]] const std::vector<accept_event>& accepts() const noexcept;

 private:
  friend struct process_access;
  struct state;
  explicit process(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace halfopen::lab

#endif
