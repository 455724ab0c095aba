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

#include "halfopen/unique_fd.hpp"

namespace halfopen::pair {

using descriptor = unique_fd;

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

}  // namespace halfopen::pair

#endif
