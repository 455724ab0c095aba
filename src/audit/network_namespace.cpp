// Into other network namespaces and back.
//
// The network of a container that an ordinary user runs (rootless) belongs to a user namespace of that
// user's, and only there has the user the right to enter it. A process with threads may not enter a user
// namespace, and nobody comes back from one; so a child goes, which shares this process's memory and
// descriptors as vfork(2)'s does, and does the work there while this thread waits.

#include "audit/network_namespace.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <memory>

namespace halfopen::audit {
namespace {

struct errand {
  int network = -1, owner = -1;
  const std::function<void()>* work = nullptr;
  bool went = false;
  std::exception_ptr thrown;
};

int go(void* what) {
  errand& e = *static_cast<errand*>(what);
  if (::setns(e.owner, CLONE_NEWUSER) < 0) return 0;
  if (e.network >= 0 && ::setns(e.network, CLONE_NEWNET) < 0) return 0;
  e.went = true;
  try {
    (*e.work)();
  } catch (...) {
    e.thrown = std::current_exception();
  }
  return 0;
}

/// Into the user namespace, and from there into the network, if one is given.
bool send_child(const unique_fd& owner, int network, const std::function<void()>& work) {
  if (!owner) return false;
  errand e{.network = network, .owner = owner.get(), .work = &work, .thrown = {}};
  constexpr std::size_t size = 1 << 20;
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(size);
  std::byte* const top = stack.get() + size - reinterpret_cast<std::uintptr_t>(stack.get() + size) % 16;
  // Without a signal at its end: those are the program's own.
  const int child = ::clone(go, top, CLONE_VM | CLONE_FILES | CLONE_VFORK, &e);
  if (child < 0) return false;
  while (::waitpid(child, nullptr, __WCLONE) < 0 && errno == EINTR) {
  }
  if (e.thrown) std::rethrow_exception(e.thrown);
  return e.went;
}

}  // namespace

std::uint64_t namespace_inode(int fd) {
  struct stat about{};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

std::uint64_t namespace_inode(const std::string& path) {
  struct stat about{};
  return ::stat(path.c_str(), &about) == 0 ? about.st_ino : 0;
}

unique_fd open_network(const std::string& path, std::uint64_t inode) {
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd && namespace_inode(fd.get()) != inode) fd.reset();
  return fd;
}

bool in_user_namespace(const std::string& path, const std::function<void()>& work) {
  return send_child(unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), -1, work);
}

bool in_network(int network, const std::function<void()>& work) {
  const unique_fd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home) return false;
  if (::setns(network, CLONE_NEWNET) < 0)
    return errno == EPERM && send_child(unique_fd(::ioctl(network, NS_GET_USERNS)), network, work);
  // Without the way home every later answer would be another network's.
  struct way_back {
    int to;
    ~way_back() {
      if (::setns(to, CLONE_NEWNET) < 0) std::abort();
    }
  } const back{home.get()};
  work();
  return true;
}

}  // namespace halfopen::audit
