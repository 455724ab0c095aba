#include "lab/accept_call.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace halfopen::lab {
namespace {

/// A thread's process: pidfd_open(2) wants the leader.
pid_t leader_of(pid_t thread) {
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  for (std::string word; status >> word;)
    if (word == "Tgid:") {
      status >> thread;
      break;
    }
  return thread;
}

}  // namespace

unique_fd copy_descriptor(pid_t thread, int descriptor) {
  const unique_fd owner(static_cast<int>(::syscall(SYS_pidfd_open, leader_of(thread), 0)));
  if (!owner) return {};
  return unique_fd(static_cast<int>(::syscall(SYS_pidfd_getfd, owner.get(), descriptor, 0)));
}

bool is_dead(const unique_fd& connection) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(connection.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_state == TCP_CLOSE;
}

bool write_peer_address(const seccomp_notif& notice, const sockaddr_storage& peer, socklen_t size) {
  const auto address_at = notice.data.args[1];
  const auto size_at = notice.data.args[2];
  if (address_at == 0 || size_at == 0) return true;
  const auto pid = static_cast<pid_t>(notice.pid);
  const auto at = [](std::uint64_t where, std::size_t length) {
    return iovec{reinterpret_cast<void*>(where), length};  // NOLINT: an address of another process
  };
  socklen_t room = 0;
  iovec here{&room, sizeof room};
  iovec there = at(size_at, sizeof room);
  if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != sizeof room) return false;
  const std::array<iovec, 2> from{iovec{const_cast<sockaddr_storage*>(&peer), std::min(room, size)},
                                  iovec{&size, sizeof size}};
  const std::array<iovec, 2> to{at(address_at, from[0].iov_len), at(size_at, sizeof size)};
  return ::process_vm_writev(pid, from.data(), 2, to.data(), 2, 0) >= 0;
}

bool has_free_descriptor(pid_t thread) {
  const pid_t pid = leader_of(thread);
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) < 0) return true;
  std::error_code why;
  rlim_t open = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", why)) {
    const std::string name = entry.path().filename();
    if (std::strtoull(name.c_str(), nullptr, 10) < limit.rlim_cur) ++open;
  }
  return open < limit.rlim_cur;
}

ino_t inode_of(const unique_fd& socket) {
  struct stat about{};
  return ::fstat(socket.get(), &about) == 0 ? about.st_ino : 0;
}

bool has_connection(const unique_fd& listener) {
  int listens = 0;
  socklen_t size = sizeof listens;
  pollfd ready{listener.get(), POLLIN, 0};
  return ::getsockopt(listener.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0 &&
         ::poll(&ready, 1, 0) == 1;
}

int accept_flags(const seccomp_notif& notice) {
  return notice.data.nr == SYS_accept4 ? static_cast<int>(notice.data.args[3]) : 0;
}

}  // namespace halfopen::lab
