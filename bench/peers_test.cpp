// A server that is fast because it is wrong would be a limit that nobody can reach, so
// what the servers of bench/run serve have to get right is tested: requests cut
// anywhere, a client that does not read, bytes that are no request, and SIGTERM.

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>

#include "bench/server_process.hpp"
#include "bench/servers.hpp"
#include "bench/sockets.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;

/// Runs it against each server that is built.
void with_each(auto&& test) {
  for (const server_kind& kind : servers()) {
    SCOPED_TRACE(kind.name);
    server_process server(kind.command);
    const lab::unique_fd client = connect_to(server.port());
    ASSERT_TRUE(client);
    test(client.get(), server);
  }
}

std::string receive(int fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t at = 0;
  while (at < size) {
    const ssize_t got = ::recv(fd, bytes.data() + at, size - at, 0);
    if (got <= 0) break;
    at += static_cast<std::size_t>(got);
  }
  bytes.resize(at);
  return bytes;
}

std::string reply(wire::sum_reply r) {
  return wire::binary::encode(r);
}

TEST(peers, at_least_the_limit_and_ours_are_built) {
  std::vector<std::string> names;
  for (const server_kind& kind : servers()) names.push_back(kind.name);
  EXPECT_THAT(names, testing::IsSupersetOf({"bare", "halfopen"}));
}

TEST(peers, take_a_request_byte_by_byte) {
  with_each([](int fd, server_process&) {
    for (const char byte : wire::binary::encode(wire::sum_request{40, 2})) {
      ASSERT_EQ(::send(fd, &byte, 1, MSG_NOSIGNAL), 1);
      ::usleep(500);
    }
    EXPECT_EQ(receive(fd, 15), reply(42));
  });
}

TEST(peers, answer_what_has_no_sum_and_go_on) {
  with_each([](int fd, server_process&) {
    EXPECT_EQ(ask(fd, {INT64_MAX, 1}), answer::right);
    EXPECT_EQ(ask(fd, {INT64_MIN, INT64_MAX}), answer::right);
  });
}

TEST(peers, close_on_bytes_that_are_no_request_after_saying_so) {
  with_each([](int fd, server_process&) {
    const std::string bytes = wire::binary::encode(wire::sum_request{1, 2}) + "GET / HTTP/1.1\r\n";
    ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    const std::string right = reply(3) + reply(std::unexpected(wire::sum_error::too_long));
    EXPECT_EQ(receive(fd, right.size() + 1), right);
  });
}

/// Sends as fast as the socket takes it; gives up after that long without progress.
void send_until_stuck(int fd, std::string_view& bytes, std::chrono::milliseconds patience) {
  while (!bytes.empty()) {
    pollfd writable{fd, POLLOUT, 0};
    if (::poll(&writable, 1, static_cast<int>(patience.count())) <= 0) return;
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

TEST(peers, answer_everything_to_a_client_that_reads_late) {
  constexpr std::int64_t count = 600'000;  // 13 MB of requests, 9 MB of replies: more than the sockets hold
  std::string requests, replies;
  for (std::int64_t i = 0; i < count; ++i) {
    requests += wire::binary::encode(wire::sum_request{i, -2 * i});
    replies += reply(-i);
  }
  with_each([&](int fd, server_process&) {
    std::string_view rest = requests;
    send_until_stuck(fd, rest, 100ms);
    std::string got;
    while (got.size() < replies.size()) {
      send_until_stuck(fd, rest, 0ms);
      std::array<char, 65536> bytes;
      const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), 0);
      if (size <= 0) break;
      got.append(bytes.data(), static_cast<std::size_t>(size));
    }
    EXPECT_TRUE(got == replies) << got.size() << " bytes of " << replies.size();
  });
}

TEST(peers, end_on_sigterm) {
  with_each([](int fd, server_process& server) {
    EXPECT_EQ(ask(fd, {1, 2}), answer::right);
    ::shutdown(fd, SHUT_WR);
    EXPECT_FALSE(server.stop(10s));
  });
}

}  // namespace
}  // namespace halfopen::bench
