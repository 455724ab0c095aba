#ifndef HALFOPEN_SRC_LAB_HOST_INIT_HPP
#define HALFOPEN_SRC_LAB_HOST_INIT_HPP

#include <array>
#include <string>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::lab {

/// What is read to turn names into addresses: each host has its own.
inline constexpr std::array files_of_names{"/etc/hosts", "/etc/host.conf", "/etc/gai.conf",
                                           "/etc/nsswitch.conf", "/etc/resolv.conf"};

/// What a host finds under /etc; a file without text is the system's.
struct host_files {
  std::string hosts;
  std::string resolver_order;  ///< host.conf(5)
  std::string address_order;   ///< gai.conf(5)
};

/// What the init of a virtual host does: sets the host up, says so, and then
/// sends signals to all of its processes on request. Its other end is init_line. `disk` is what
/// wait_until_ready() gave in the host's life before; -1: it gets an empty one.
[[noreturn]] void run_host_init(unique_fd control, const std::string& host_name, const host_files& files,
                                int disk);

/// The lab's end of the line to a host's init.
class init_line {
 public:
  init_line() = default;
  explicit init_line(unique_fd control) : control_(std::move(control)) {}

  /// Waits until the host is set up; throws lab::error with the step that failed. Returns what
  /// holds the files of its private folder when it is gone, good for one more life; nothing
  /// where the system has no such folder.
  [[nodiscard]] unique_fd wait_until_ready();
  /// kill(-1, number) in the host: every process but init. 0 only asks. False if
  /// there is none.
  bool signal_all(int number);
  /// How many processes there are, init not counted.
  int count();

 private:
  int ask(int request);

  unique_fd control_;
};

}  // namespace halfopen::lab

#endif
