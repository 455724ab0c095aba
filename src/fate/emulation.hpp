#ifndef HALFOPEN_FATE_EMULATION_HPP
#define HALFOPEN_FATE_EMULATION_HPP

/// For tests that were built for another machine, and that qemu-user runs (scripts/build-arch --test).
/// What qemu itself keeps from a test is a reason to skip it; each is a sentence here.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

namespace halfopen::emulation {

/// "qemu-s390x"; empty in a build for this machine.
#ifdef HALFOPEN_EMULATOR
inline constexpr std::string_view by = HALFOPEN_EMULATOR;
#else
inline constexpr std::string_view by{};
#endif

inline constexpr const char* no_tcp_info =
    "qemu-user takes every TCP option for an int (linux-user/syscall.c, do_getsockopt): of TCP_INFO it "
    "gives four bytes, and this test is about what the kernel tells there";
inline constexpr const char* no_threads_after_fork =
    "qemu-i386 7.2 dies of SIGSEGV when the child of a fork starts a thread; without qemu the same "
    "program passes";

/// Tried, so that a qemu which has learnt it is not spared the test.
inline bool hides_tcp_info() {
  if (by.empty()) return false;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool whole = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && size == sizeof info;
  ::close(fd);
  return !whole;
}

}  // namespace halfopen::emulation

#endif
