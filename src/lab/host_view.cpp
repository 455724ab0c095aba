// What can be seen of a host from outside, without a word from its programs: the kernel
// is asked, over sock_diag(7) for sockets and through /proc for processes.
//
// A process belongs to a host if the host's PID namespace is its own or one above its own:
// programs that make a PID namespace of their own (sandboxes, unshare(1)) take their
// children into it, and these die with the host all the same (pid_namespaces(7)).

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <unordered_map>

#include "halfopen/lab/host.hpp"
#include "lab/access.hpp"
#include "lab/open_sockets.hpp"
#include "lab/sock_diag.hpp"

namespace halfopen::lab {
namespace {

ino_t inode_of(const unique_fd& fd) {
  struct stat about{};
  return ::fstat(fd.get(), &about) == 0 ? about.st_ino : 0;
}

/// Which PID namespaces are a host's. They are asked for once each: an experiment beside sixty
/// others sees all of their processes (300 of them: 1.8 ms; each looked up by itself, 3.3 ms).
class family_of_namespaces {
 public:
  explicit family_of_namespaces(ino_t eldest) : known_{{eldest, true}} {}

  bool has(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/pid";
    struct stat about{};
    if (::stat(path.c_str(), &about) < 0) return false;
    if (const auto found = known_.find(about.st_ino); found != known_.end()) return found->second;
    unique_fd at(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!at) return false;
    const ino_t own = inode_of(at);
    for (;;) {
      at.reset(::ioctl(at.get(), NS_GET_PARENT));  // EPERM above this process's own
      const auto found = at ? known_.find(inode_of(at)) : known_.end();
      if (!at || found != known_.end()) return known_[own] = at && found->second;
    }
  }

 private:
  std::unordered_map<ino_t, bool> known_;
};

/// Names in the folder that are numbers. What vanishes meanwhile is not there.
std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> numbers;
  std::error_code why;
  for (std::filesystem::directory_iterator entry(folder, why), end; !why && entry != end;
       entry.increment(why)) {
    const std::string name = entry->path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) numbers.push_back(std::atoi(name.c_str()));
  }
  return numbers;
}

/// A copy of the process's descriptor, if that is still this socket.
unique_fd copy_of(pid_t pid, int descriptor, std::uint64_t inode) {
  const unique_fd owner(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!owner) return {};
  unique_fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, owner.get(), descriptor, 0)));
  if (copy && inode_of(copy) != inode) copy.reset();
  return copy;
}

}  // namespace

std::vector<open_socket> open_sockets(pid_t pid) {
  std::vector<open_socket> found;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  for (const int descriptor : numbers_in(folder)) {
    std::error_code why;
    const std::string what = std::filesystem::read_symlink(folder + "/" + std::to_string(descriptor), why);
    unsigned long inode = 0;
    if (std::sscanf(what.c_str(), "socket:[%lu]", &inode) == 1) found.push_back({descriptor, inode});
  }
  return found;
}

std::vector<std::uint16_t> host::listening_ports() const {
  std::vector<std::uint16_t> ports;
  if (state_->up) in_network([&] { ports = listening_tcp_ports(); });
  return ports;
}

std::vector<listener> host::listeners() const {
  std::vector<listener> all;
  if (state_->up) in_network([&] { all = listening_sockets(); });
  return all;
}

bool listener::reachable_from_others() const noexcept {
  const auto bytes = at.address.bytes();
  if (!at.address.is_v6()) return bytes[0] != std::byte{127};
  return at.address != trace::ip_address::parse("::1");
}

std::uint64_t host::unread_bytes(std::uint16_t port) const {
  std::uint64_t unread = 0;
  if (state_->up) in_network([&] { unread = unread_bytes_at(port); });
  return unread;
}

std::vector<socket_view> host::sockets() const {
  std::vector<socket_view> all;
  if (state_->up) in_network([&] { all = tcp_sockets(); });
  return all;
}

std::vector<pid_t> host::pids() const {
  std::vector<pid_t> found;
  if (!state_->up) return found;
  family_of_namespaces ours(state_->pid_namespace);
  for (const pid_t pid : numbers_in("/proc"))
    if (pid != state_->init && ours.has(pid)) found.push_back(pid);
  std::ranges::sort(found);
  return found;
}

unique_fd host::copy_socket(std::uint64_t inode) const {
  if (inode == 0) return {};
  for (const pid_t pid : pids())
    for (const open_socket& s : open_sockets(pid)) {
      if (s.inode != inode) continue;
      if (unique_fd copy = copy_of(pid, s.descriptor, inode)) return copy;
    }
  return {};
}

}  // namespace halfopen::lab
