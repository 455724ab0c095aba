#include "lab/namespaces.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "halfopen/lab/error.hpp"

namespace halfopen::lab {

error::error(const std::string& what, int errno_value)
    : std::runtime_error(what + ": " + std::strerror(errno_value)) {}

pid_t clone_into(std::uint64_t flags, unique_fd* pidfd) noexcept {
  int descriptor = -1;
  clone_args args{};
  args.flags = flags;
  // A sibling takes its maker's exit signal, and may not name one (clone(2)).
  args.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  if (pidfd != nullptr) {
    args.flags |= CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&descriptor);
  }
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (pid > 0 && pidfd != nullptr) pidfd->reset(descriptor);
  return pid;
}

bool write_file(const std::string& path, std::string_view text) noexcept {
  const unique_fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool map_root_to(uid_t uid, gid_t gid) noexcept {
  // setgroups must be denied first, or an ordinary user may not map groups
  // (user_namespaces(7)).
  return write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1") &&
         write_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
}

unique_fd own_namespace(const char* kind) {
  const std::string path = std::string("/proc/thread-self/ns/") + kind;
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw error(path, errno);
  return fd;
}

network_visit::network_visit(int network_namespace) : home_(own_namespace("net")) {
  if (::setns(network_namespace, CLONE_NEWNET) < 0) throw error("entering a host's network", errno);
}

network_visit::~network_visit() {
  // Without the way home every later step would act on the wrong network.
  if (::setns(home_.get(), CLONE_NEWNET) < 0) std::abort();
}

}  // namespace halfopen::lab
