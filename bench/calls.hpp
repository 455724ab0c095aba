#ifndef HALFOPEN_BENCH_CALLS_HPP
#define HALFOPEN_BENCH_CALLS_HPP

// The memory that calls_preload.cpp, inside a server, shares with the benchmark
// outside: a counter for each system call that an event loop may make.

#include <array>
#include <cstddef>
#include <cstdint>

// No names of C++ here: calls_preload.cpp makes functions of them.
#define HALFOPEN_COUNTED_CALLS(apply)                                                                       \
  apply(read) apply(write) apply(readv) apply(writev) apply(recv) apply(recvfrom) apply(recvmsg)            \
      apply(recvmmsg) apply(send) apply(sendto) apply(sendmsg) apply(sendmmsg) apply(epoll_wait)            \
          apply(epoll_pwait) apply(epoll_pwait2) apply(epoll_ctl) apply(poll) apply(ppoll) apply(select)    \
              apply(accept) apply(accept4) apply(close) apply(shutdown) apply(setsockopt) apply(getsockopt) \
                  apply(getsockname) apply(getpeername) apply(ioctl) apply(fcntl) apply(fcntl64)            \
                      apply(timerfd_settime) apply(eventfd_read) apply(eventfd_write) apply(syscall)

namespace halfopen::bench {

#define HALFOPEN_CALL_NAME(name) #name,
inline constexpr std::array counted_calls{HALFOPEN_COUNTED_CALLS(HALFOPEN_CALL_NAME)};
#undef HALFOPEN_CALL_NAME

struct call_counts {
  std::array<std::uint64_t, counted_calls.size()> count;
};

/// The environment variable with the path of the shared memory.
inline constexpr const char* counts_variable = "HALFOPEN_BENCH_CALLS";

}  // namespace halfopen::bench

#endif
