// A child's wait status is its parent's to read. A handle to the process, opened while it lives,
// tells it to anybody once the parent has read it: PIDFD_GET_INFO with PIDFD_INFO_EXIT (Linux 6.15,
// fs/pidfs.c).
//
// ptrace(2) would see every death too, and change what it looks at: each signal stops the program,
// and a program that debugs its own children stops working.

#include "judge/deaths.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <utility>

#include "lab/open_sockets.hpp"

namespace halfopen::judge {
namespace {

/// struct pidfd_info of include/uapi/linux/pidfd.h, as Linux 6.15 has it.
struct process_info {
  std::uint64_t mask = 0, control_group = 0;
  std::array<std::uint32_t, 11> ids{};
  std::int32_t exit_code = 0;
};
static_assert(sizeof(process_info) == 64);
constexpr std::uint64_t with_exit = 1U << 3;
constexpr unsigned long get_info = _IOWR(0xFF, 11, process_info);

/// As waitpid(2) gives it; nothing of a process that lives, is not waited for yet, or of an older kernel.
std::optional<int> wait_status(const lab::unique_fd& process) {
  process_info info;
  info.mask = with_exit;
  if (::ioctl(process.get(), get_info, &info) < 0 || (info.mask & with_exit) == 0) return std::nullopt;
  return info.exit_code;
}

std::string first_line_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  return text;
}

bool has_one_of(pid_t pid, const std::set<std::uint64_t>& sockets) {
  return std::ranges::any_of(lab::open_sockets(pid),
                             [&](const lab::open_socket& s) { return sockets.contains(s.inode); });
}

}  // namespace

void death_watch::look(const lab::host& h) {
  std::set<std::uint64_t> sockets;
  for (const lab::socket_view& s : h.sockets()) sockets.insert(s.inode);
  for (const pid_t pid : h.pids()) {
    known& k = known_[pid];
    if (k.handle && wait_status(k.handle)) gone_.push_back(std::exchange(k, {}));
    if (!k.handle) k.handle = lab::unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    k.program = first_line_of("/proc/" + std::to_string(pid) + "/comm");  // execve(2) changes it
    k.has_socket = k.has_socket || has_one_of(pid, sockets);
  }
}

std::vector<death> death_watch::found() const {
  constexpr std::array defects{SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
  std::vector<death> all;
  const auto add = [&](const known& k) {
    const auto status = k.handle ? wait_status(k.handle) : std::nullopt;
    if (!status || !WIFSIGNALED(*status)) return;
    const int signal = WTERMSIG(*status);
    if (std::ranges::find(defects, signal) != defects.end() || (signal == SIGPIPE && k.has_socket))
      all.push_back({k.program, signal});
  };
  for (const known& k : gone_) add(k);
  for (const auto& [pid, k] : known_) add(k);
  return all;
}

}  // namespace halfopen::judge
