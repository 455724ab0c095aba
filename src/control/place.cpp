// A file, and not a name in the abstract namespace of Unix sockets, which the kernel would clean up by
// itself: a name there has no permissions, is seen in one network namespace alone (a container with the
// caller's folder reaches a file), and node before version 20 cannot connect to one. So a small process waits
// for the end of `halfopen up` and removes the file. Should somebody kill that one first, the file is a name
// that nobody listens at, and the next `halfopen up` takes its place.

#include "control/place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include "halfopen/lab/error.hpp"

namespace halfopen::control {
namespace {

namespace fs = std::filesystem;

std::string folder_of_places() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  std::error_code why;
  if (runtime != nullptr && *runtime == '/' && fs::is_directory(runtime, why) && ::access(runtime, W_OK) == 0)
    return runtime;
  return "/tmp";
}

std::string prefix() {
  return fmt::format("halfopen-{}-", ::getuid());
}

std::optional<sockaddr_un> address_of(const std::string& place) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  if (place.empty() || place.size() >= sizeof a.sun_path) return std::nullopt;
  std::memcpy(a.sun_path, place.data(), place.size());
  return a;
}

const sockaddr* generic(const sockaddr_un& a) {
  return reinterpret_cast<const sockaddr*>(&a);
}

/// One at a time replaces or removes a socket in that folder, as long as the descriptor lives. The lock is no
/// more than good manners: anybody may hold one on /tmp, and is not waited for longer than a second.
lab::unique_fd one_at_a_time(const std::string& place) {
  const fs::path folder = fs::path(place).parent_path();
  lab::unique_fd fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int tries = 0; fd && tries < 100 && ::flock(fd.get(), LOCK_EX | LOCK_NB) < 0; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return fd;
}

/// 0 if there is no socket.
ino_t socket_at(const std::string& place) {
  struct stat about{};
  return ::lstat(place.c_str(), &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

/// Who listens there; a system that was killed is given the time to be gone.
std::expected<line_to_system, int> who_is_there(const std::string& place) {
  for (int tries = 0;; ++tries) {
    auto other = connect_to(place);
    if (!other || tries == 100 || ::kill(other->process, 0) == 0 || errno != ESRCH) return other;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

std::string usual_place(const std::string& settings_file) {
  std::error_code why;
  fs::path whole = fs::weakly_canonical(settings_file, why);
  if (why) whole = fs::absolute(settings_file, why);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
  for (const char c : whole.string()) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return fmt::format("{}/{}{:016x}.sock", folder_of_places(), prefix(), hash);
}

std::expected<lab::unique_fd, std::string> listen_at(const std::string& place) {
  const auto address = address_of(place);
  if (!address)
    return std::unexpected(
        fmt::format("{}: a socket's path has at most {} bytes", place, sizeof(sockaddr_un::sun_path) - 1));
  const auto failed = [&] { return std::unexpected(fmt::format("{}: {}", place, std::strerror(errno))); };
  const lab::unique_fd turn = one_at_a_time(place);
  lab::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failed();
  if (const auto other = who_is_there(place))
    return std::unexpected(fmt::format("a system is up here already, process {} (halfopen down ends it): {}",
                                       other->process, place));
  else if (other.error() == ECONNREFUSED && socket_at(place) != 0 && ::unlink(place.c_str()) < 0)
    return failed();
  const mode_t before = ::umask(077);
  const int bound = ::bind(fd.get(), generic(*address), sizeof *address);
  const int why = errno;
  ::umask(before);
  errno = why;
  if (bound < 0 || ::listen(fd.get(), SOMAXCONN) < 0) return failed();
  return fd;
}

std::expected<line_to_system, int> connect_to(const std::string& place) {
  const auto address = address_of(place);
  if (!address) return std::unexpected(ENAMETOOLONG);
  line_to_system made;
  made.socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made.socket) return std::unexpected(errno);
  if (::connect(made.socket.get(), generic(*address), sizeof *address) < 0) return std::unexpected(errno);
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(made.socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
    return std::unexpected(errno);
  if (who.uid != ::geteuid() && who.uid != 0) return std::unexpected(EPERM);
  made.process = who.pid;
  return made;
}

std::vector<found_system> systems_that_are_up() {
  std::vector<found_system> found;
  std::error_code why;
  for (const auto& entry : fs::directory_iterator(folder_of_places(), why)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix()) || !name.ends_with(".sock")) continue;
    const auto there = connect_to(entry.path());
    if (!there) continue;
    const fs::path folder = fs::read_symlink(fmt::format("/proc/{}/cwd", there->process), why);
    found.push_back({entry.path(), folder});
  }
  return found;
}

remover::remover(const std::string& place) {
  const ino_t ours = socket_at(place);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw lab::error("pipe", errno);
  lab::unique_fd read_end(ends[0]);
  line_.reset(ends[1]);
  process_ = ::fork();
  if (process_ < 0) throw lab::error("fork", errno);
  if (process_ > 0) return;
  ::setsid();  // a terminal's Ctrl-C, or a signal to the caller's process group, is not for it
  ::prctl(PR_SET_NAME, "halfopen-tidy");
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(s, SIG_IGN);
  const int line = 0;
  ::dup2(read_end.get(), line);
  ::close_range(line + 1, ~0U, 0);  // whoever reads the caller's output shall see its end
  char byte;
  while (::read(line, &byte, 1) < 0 && errno == EINTR) {
  }
  const lab::unique_fd turn = one_at_a_time(place);
  if (ours != 0 && socket_at(place) == ours) ::unlink(place.c_str());  // else another system's
  ::_exit(0);
}

remover::~remover() {
  line_.reset();
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace halfopen::control
