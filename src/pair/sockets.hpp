#ifndef HALFOPEN_PAIR_SOCKETS_HPP
#define HALFOPEN_PAIR_SOCKETS_HPP

/// What clients and servers of both kinds need of the sockets API.

#include <netdb.h>
#include <sys/socket.h>

#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace halfopen::pair {

/// Owns a file descriptor.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(other.release()) {}
  descriptor& operator=(descriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// "ECONNRESET (Connection reset by peer)".
[[nodiscard]] std::string errno_text(int error);

struct endpoint {
  std::string host;
  std::string port;
  [[nodiscard]] std::string text() const;  ///< "host:port", or "[v6]:port"
};

/// From "host", "host:port", "v6", "[v6]" or "[v6]:port"; the error says what is wrong.
[[nodiscard]] std::expected<endpoint, std::string> parse_endpoint(std::string_view text);

struct free_addresses {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};
using address_list = std::unique_ptr<addrinfo, free_addresses>;

/// The stream addresses of a name. Blocks as long as the resolver does; the error is its text.
[[nodiscard]] std::expected<address_list, std::string> resolve(const endpoint& where, bool passive);

/// A socket that listens on the name's first address. The error names the call that failed.
[[nodiscard]] std::expected<descriptor, std::string> listen_on(const endpoint& where, bool reuse_address,
                                                               int socket_flags);

/// "address:port"; "?" if it is neither IPv4 nor IPv6.
[[nodiscard]] std::string address_text(const sockaddr_storage& address, socklen_t size);

/// Where the socket is bound.
[[nodiscard]] std::string local_address(int fd);

/// Makes the kernel notice a dead peer within that time, idle or not; see sockets.cpp.
/// Does nothing for 0. Best effort: an option that is missing leaves the kernel's default.
void set_liveness(int fd, std::chrono::milliseconds notice_within) noexcept;

}  // namespace halfopen::pair

#endif
