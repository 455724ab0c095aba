#ifndef HALFOPEN_SRC_NET_LOCAL_SOCKET_HPP
#define HALFOPEN_SRC_NET_LOCAL_SOCKET_HPP

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <asio/ip/tcp.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "halfopen/fate.hpp"
#include "halfopen/unique_fd.hpp"

namespace halfopen::net {

/// What is behind "unix:" in a host: a path, or "@name" for an abstract name (unix(7)); nothing of
/// another host.
[[nodiscard]] std::optional<std::string> local_path(std::string_view host);

struct local_address {
  sockaddr_un name{};
  socklen_t size = 0;
};
/// The error is a few words: empty, a NUL in it, or longer than the kernel takes.
[[nodiscard]] std::expected<local_address, std::string_view> local_address_of(std::string_view path);

/// The file of a listening socket, removed with it if it is the same file still.
class socket_file {
 public:
  socket_file() noexcept = default;
  /// The file as it is there now.
  explicit socket_file(std::string path);
  socket_file(socket_file&& from) noexcept : path_(std::exchange(from.path_, {})), id_(from.id_) {}
  socket_file& operator=(socket_file&& from) noexcept;
  ~socket_file() { remove(); }
  void remove() noexcept;

 private:
  struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const identity&, const identity&) = default;
  };
  [[nodiscard]] static std::optional<identity> look_at(const std::string& path) noexcept;

  std::string path_;  // empty: none
  identity id_;
};

struct local_listener {
  unique_fd fd;
  socket_file file;
};
/// Listens there. A file that a dead process has left is replaced; one on which somebody listens is
/// EADDRINUSE, and so is one that is no socket.
[[nodiscard]] std::expected<local_listener, fate> listen_locally(const std::string& path, int backlog);

/// Who is at the other end; the unspecified address and port 0 of one that is no TCP connection.
/// The errno of getpeername(2).
[[nodiscard]] std::expected<asio::ip::tcp::endpoint, int> peer_of(int fd) noexcept;
/// The same of the own end.
[[nodiscard]] asio::ip::tcp::endpoint name_of_socket(int fd) noexcept;
/// Of an address that the kernel has given.
[[nodiscard]] asio::ip::tcp::endpoint endpoint_of(const sockaddr_storage& address) noexcept;
[[nodiscard]] bool is_internet(int fd) noexcept;

}  // namespace halfopen::net

#endif
