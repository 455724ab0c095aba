#ifndef HALFOPEN_SRC_JUDGE_DEATHS_HPP
#define HALFOPEN_SRC_JUDGE_DEATHS_HPP

#include <map>
#include <string>
#include <vector>

#include "halfopen/lab/host.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::judge {

/// A process that a signal ended.
struct death {
  std::string program;  ///< its name (proc_pid_comm(5))
  int signal = 0;
};

/// Which processes of a host die of a signal, whoever their parent is: a worker's death is told
/// to its master only. A process is known from a look() on; one that comes and goes between two
/// looks is not seen. Needs Linux 6.15; on an older kernel nothing is ever found.
class death_watch {
 public:
  void look(const lab::host& h);

  /// By signals that mean a defect (SIGSEGV, SIGABRT...), and by SIGPIPE those that had a TCP
  /// socket: a command whose pipe's reader has ended dies of it too, and rightly.
  [[nodiscard]] std::vector<death> found() const;

 private:
  struct known {
    lab::unique_fd handle;  ///< pidfd_open(2)
    std::string program;
    bool has_socket = false;
  };
  std::map<pid_t, known> known_;
  std::vector<known> gone_;  ///< their PID has passed to another process
};

}  // namespace halfopen::judge

#endif
