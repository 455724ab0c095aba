#ifndef HALFOPEN_SRC_LAB_SOCKET_ADDRESS_HPP
#define HALFOPEN_SRC_LAB_SOCKET_ADDRESS_HPP

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "halfopen/trace/address.hpp"

namespace halfopen::lab {

/// An address and a port as the socket calls want them.
class socket_address {
 public:
  socket_address(const trace::ip_address& ip, std::uint16_t port) noexcept {
    const auto bytes = ip.bytes();
    if (ip.is_v6()) {
      v6_.sin6_family = AF_INET6;
      v6_.sin6_port = htons(port);
      std::memcpy(&v6_.sin6_addr, bytes.data(), bytes.size());
    } else {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
      std::memcpy(&v6_, &v4, sizeof v4);
    }
  }

  [[nodiscard]] int family() const noexcept { return v6_.sin6_family; }
  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&v6_); }
  [[nodiscard]] socklen_t size() const noexcept {
    return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }

 private:
  sockaddr_in6 v6_{};  // the larger of the two, and both begin with the family
};

}  // namespace halfopen::lab

#endif
