#ifndef HALFOPEN_SRC_LAB_TEST_PAIR_HPP
#define HALFOPEN_SRC_LAB_TEST_PAIR_HPP

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "halfopen/lab/experiment.hpp"
#include "lab/socket_address.hpp"

/// Sockets of the tests' own on the hosts.

namespace halfopen::lab {

/// A nonblocking one of the host's IP version.
inline unique_fd make_socket(const host& h) {
  unique_fd fd;
  h.in_network([&] {
    fd.reset(
        ::socket(h.address().is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  });
  return fd;
}

/// A listener on that port of the server, a connected client, and the accepted socket.
struct connected_pair {
  unique_fd listener, client, accepted;
  explicit connected_pair(experiment& lab, std::uint16_t port = 7) {
    const host& s = lab.at("server");
    const host& c = lab.at("client");
    listener = make_socket(s);
    const socket_address here(s.address(), port);
    EXPECT_EQ(::bind(listener.get(), here.get(), here.size()), 0);
    EXPECT_EQ(::listen(listener.get(), 8), 0);
    client = make_socket(c);
    ::connect(client.get(), here.get(), here.size());
    EXPECT_TRUE(lab.until([&] {
      accepted.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return static_cast<bool>(accepted);
    }));
  }
};

}  // namespace halfopen::lab

#endif
