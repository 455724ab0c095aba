#ifndef HALFOPEN_SRC_LAB_OPEN_SOCKETS_HPP
#define HALFOPEN_SRC_LAB_OPEN_SOCKETS_HPP

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace halfopen::lab {

/// A descriptor of another process that is a socket of any kind.
struct open_socket {
  int descriptor = -1;
  std::uint64_t inode = 0;
};

/// All of that process (/proc/PID/fd, proc(5)); none if it is gone or may not be looked at.
std::vector<open_socket> open_sockets(pid_t pid);

}  // namespace halfopen::lab

#endif
