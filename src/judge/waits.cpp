#include "judge/waits.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "halfopen/liveness.hpp"

namespace halfopen::judge {
namespace {

namespace fs = std::filesystem;

using arguments = std::array<std::uint64_t, 6>;

/// The descriptor is a socket of which each wait has a limit (SO_RCVTIMEO or SO_SNDTIMEO, socket(7)).
bool has_limit(pid_t process, int descriptor, int option) {
  const lab::unique_fd owner(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  const lab::unique_fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, owner.get(), descriptor, 0)));
  timeval limit{};
  socklen_t size = sizeof limit;
  return copy && ::getsockopt(copy.get(), SOL_SOCKET, option, &limit, &size) == 0 &&
         (limit.tv_sec > 0 || limit.tv_usec > 0);
}

/// What a thread waits in, as /proc/PID/task/TID/syscall tells it: true if nothing but the
/// event itself can end it.
bool is_endless(long call, const arguments& a, pid_t process) {
  const auto negative = [](std::uint64_t v) { return static_cast<std::int32_t>(v) < 0; };
  switch (call) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return negative(a[3]);
    case SYS_epoll_pwait2:
      return a[3] == 0;
    case SYS_ppoll:
      return a[2] == 0;
    case SYS_pselect6:
      return a[4] == 0;
    case SYS_futex:
      return a[3] == 0;
#ifdef SYS_poll
    case SYS_poll:
      return negative(a[2]);
    case SYS_select:
      return a[4] == 0;
#endif
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_accept:
    case SYS_accept4:
      return !has_limit(process, static_cast<int>(a[0]), SO_RCVTIMEO);
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
      return !has_limit(process, static_cast<int>(a[0]), SO_SNDTIMEO);
    case SYS_wait4:
    case SYS_waitid:
      return true;
    // pause(2) and sigsuspend(2) wait for a signal, which a timer of setitimer(2) may send.
    default:
      return false;
  }
}

/// Nothing if the file cannot be read.
std::optional<bool> thread_is_stuck(const fs::path& task, pid_t process) {
  std::ifstream file(task / "syscall");
  long call = -1;
  if (!(file >> call)) return file.is_open() ? std::optional(false) : std::nullopt;  // "running"
  arguments a{};
  for (auto& one : a) file >> std::hex >> one;
  if (file.fail()) return false;
  return is_endless(call, a, process);
}

bool has_timers(const fs::path& process) {
  std::ifstream timers(process / "timers");
  if (timers.peek() != std::ifstream::traits_type::eof()) return true;
  std::error_code why;
  for (const auto& entry : fs::directory_iterator(process / "fd", why))
    if (fs::read_symlink(entry.path(), why).string() == "anon_inode:[timerfd]") return true;
  return false;
}

}  // namespace

waiting waits_for(const lab::socket_view& s) noexcept {
  if (s.state == TCP_SYN_SENT) return waiting::for_connection;
  return s.unsent > 0 ? waiting::for_acknowledgement : waiting::for_data;
}

std::optional<wait_length> length_of_wait(const lab::host& h, std::uint64_t inode, waiting what_for) {
  const lab::unique_fd socket = h.copy_socket(inode);
  if (!socket) return std::nullopt;
  const auto has = liveness_of(socket.get());
  if (!has) return std::nullopt;
  std::optional<hang> lengths;
  h.in_network([&] {
    if (const auto found = would_hang(socket.get())) lengths = *found;
  });
  if (!lengths) return std::nullopt;
  return length_of_wait(*has, *lengths, what_for);
}

std::optional<bool> waits_without_limit(const lab::host& h) {
  bool any = false;
  for (const pid_t pid : h.pids()) {
    const fs::path process = "/proc/" + std::to_string(pid);
    if (has_timers(process)) return false;
    std::error_code why;
    for (const auto& task : fs::directory_iterator(process / "task", why)) {
      const auto stuck = thread_is_stuck(task.path(), pid);
      if (!stuck) return std::nullopt;
      if (!*stuck) return false;
      any = true;
    }
  }
  if (!any) return std::nullopt;
  return true;
}

char process_state(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto after_name = text.rfind(") ");
  return after_name == std::string::npos || after_name + 2 >= text.size() ? 'X' : text[after_name + 2];
}

}  // namespace halfopen::judge
