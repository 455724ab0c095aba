// Unix sockets (unix(7)), beside TCP's in the same stream and listener.
//
// bind(2) makes a file, which outlives the process: after a kill -9 the next server finds it there, and
// bind fails with EADDRINUSE. To remove it unseen would take a socket away on which somebody listens. So
// somebody knocks: connect(2) to a socket on which nobody listens is ECONNREFUSED, but so is one to a file
// that is no socket (unix_find_bsd() in net/unix/af_unix.c), which is left alone, and one to a socket that
// is bound and does not listen yet. Hence from bind to listen the directory is locked (flock(2)): two
// servers that start at once do not take each other's socket for a dead one.
//
// At its end a listener removes its file, unless another one is there by now.

#include "net/local_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "fate/make_fate.hpp"

namespace halfopen::net {
namespace {

constexpr std::string_view scheme = "unix:";

unique_fd local_socket() noexcept {
  return unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

const sockaddr* pointer_to(const local_address& a) noexcept {
  return reinterpret_cast<const sockaddr*>(&a.name);
}

/// Nobody listens there any more. Leaves errno alone.
bool is_left_behind(const std::string& path, const local_address& address) noexcept {
  struct stat file{};
  const int before = errno;
  bool left_behind = false;
  if (::lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode)) {
    const unique_fd knocks = local_socket();
    left_behind =
        knocks && ::connect(knocks.get(), pointer_to(address), address.size) != 0 && errno == ECONNREFUSED;
  }
  errno = before;
  return left_behind;
}

/// The directory, locked; nothing if it cannot be opened, or if somebody holds it for longer than any
/// listener does: the lock is a courtesy among servers, and nobody's means to keep one from starting.
unique_fd lock_directory_of(const std::string& path) {
  constexpr int tries = 100;
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; fd && i < tries; ++i) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

fate could_not(std::string_view call) noexcept {
  return of_local_failure(accepting, call, errno);
}

}  // namespace

std::optional<std::string> local_path(std::string_view host) {
  if (!host.starts_with(scheme)) return std::nullopt;
  return std::string(host.substr(scheme.size()));
}

std::expected<local_address, std::string_view> local_address_of(std::string_view path) {
  local_address made;
  if (path.empty() || path == "@") return std::unexpected("the path of the Unix socket is empty");
  if (path.contains('\0')) return std::unexpected("a NUL byte in the path of the Unix socket");
  if (path.size() >= sizeof made.name.sun_path)
    return std::unexpected("the path of the Unix socket is longer than 107 bytes");
  made.name.sun_family = AF_UNIX;
  std::memcpy(made.name.sun_path, path.data(), path.size());
  const bool abstract = path.front() == '@';  // its length counts, and no NUL ends it
  if (abstract) made.name.sun_path[0] = '\0';
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return made;
}

std::optional<socket_file::identity> socket_file::look_at(const std::string& path) noexcept {
  struct stat file{};
  if (path.empty() || ::lstat(path.c_str(), &file) != 0) return std::nullopt;
  return identity{file.st_dev, file.st_ino};
}

socket_file::socket_file(std::string path) : path_(std::move(path)) {
  if (const auto here = look_at(path_))
    id_ = *here;
  else
    path_.clear();
}

socket_file& socket_file::operator=(socket_file&& from) noexcept {
  if (this == &from) return *this;
  remove();
  path_ = std::exchange(from.path_, {});
  id_ = from.id_;
  return *this;
}

void socket_file::remove() noexcept {
  if (look_at(path_) == id_) ::unlink(path_.c_str());
  path_.clear();
}

std::expected<local_listener, fate> listen_locally(const std::string& path, int backlog) {
  const auto address = local_address_of(path);
  if (!address) return std::unexpected(of_local_failure(accepting, address.error()));
  const bool has_file = path.front() != '@';
  const unique_fd lock = has_file ? lock_directory_of(path) : unique_fd{};
  local_listener made{local_socket(), {}};
  if (!made.fd) return std::unexpected(could_not("socket"));
  bool bound = ::bind(made.fd.get(), pointer_to(*address), address->size) == 0;
  if (!bound && errno == EADDRINUSE && has_file && is_left_behind(path, *address)) {
    if (::unlink(path.c_str()) != 0) return std::unexpected(could_not("unlink"));
    bound = ::bind(made.fd.get(), pointer_to(*address), address->size) == 0;
  }
  if (!bound) return std::unexpected(could_not("bind"));
  if (has_file) made.file = socket_file(path);
  if (::listen(made.fd.get(), backlog) != 0) return std::unexpected(could_not("listen"));
  return made;
}

asio::ip::tcp::endpoint endpoint_of(const sockaddr_storage& address) noexcept {
  asio::ip::tcp::endpoint made;
  std::size_t size = 0;
  if (address.ss_family == AF_INET) size = sizeof(sockaddr_in);
  if (address.ss_family == AF_INET6) size = sizeof(sockaddr_in6);
  if (size > 0) std::memcpy(made.data(), &address, size);
  return made;
}

std::expected<asio::ip::tcp::endpoint, int> peer_of(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::unexpected(errno);
  return endpoint_of(address);
}

asio::ip::tcp::endpoint name_of_socket(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  static_cast<void>(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
  return endpoint_of(address);
}

bool is_internet(int fd) noexcept {
  int family = AF_INET;
  socklen_t size = sizeof family;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family != AF_UNIX;
}

}  // namespace halfopen::net
