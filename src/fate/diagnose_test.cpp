// Real connections on loopback, ended in every way that loopback has. Silence and routers
// need a host that dies: tests/dead_host_test.cpp.

#include <gtest/gtest.h>
#include <sys/un.h>

#include "fate/emulation.hpp"
#include "fate/loopback.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/liveness.hpp"

namespace halfopen {
namespace {

using namespace std::chrono_literals;
using namespace loopback;

int pending_error(const descriptor& fd) {
  int error = 0;
  socklen_t size = sizeof error;
  checked(getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
  return error;
}

TEST(diagnose, refused) {
  listener port;
  port.fd.close();
  const descriptor client = tcp_socket();
  ASSERT_LT(::connect(client.get(), port.address(), sizeof port.at), 0);
  const fate f = diagnose(client.get(), operation::connect, errno);
  EXPECT_EQ(f.how, ending::refused);
  EXPECT_EQ(f.when, phase::connecting);
  EXPECT_EQ(f.again, retry::safe);
  EXPECT_EQ(f.error, ECONNREFUSED);
  EXPECT_EQ(f.seen->last_heard, std::nullopt);
  EXPECT_EQ(f.seen->icmp, std::nullopt);
}

TEST(diagnose, refused_is_told_by_so_error_too) {
  listener port;
  port.fd.close();
  const descriptor client{checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket")};
  ASSERT_LT(::connect(client.get(), port.address(), sizeof port.at), 0);
  ASSERT_TRUE(wait_for_news(client));
  const fate f = diagnose(client.get(), operation::connect, pending_error(client));
  EXPECT_EQ(f.how, ending::refused);
  EXPECT_EQ(f.again, retry::safe);
}

TEST(diagnose, a_reset_that_is_read) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  const auto begun = std::chrono::steady_clock::now();
  connection c;
  ASSERT_EQ(send(c.client), 0);
  reset(c.server);
  ASSERT_TRUE(wait_for_news(c.client));
  const fate f = diagnose(c.client.get(), operation::read, receive(c.client));
  EXPECT_EQ(f.error, ECONNRESET);
  EXPECT_EQ(f.how, ending::peer_reset);
  EXPECT_EQ(f.or_else, ending::peer_rebooted);
  EXPECT_EQ(f.when, phase::awaiting_reply);
  EXPECT_EQ(f.again, retry::unknown) << "five bytes were sent";
  EXPECT_FALSE(f.seen->still_open);
  ASSERT_TRUE(f.seen->last_heard);
  EXPECT_LE(*f.seen->last_heard, std::chrono::steady_clock::now() - begun + 10ms) << "a jiffy may be so long";
  EXPECT_GT(f.seen->round_trip, 0us);
  EXPECT_EQ(f.seen->unacknowledged, 0u);
  EXPECT_EQ(f.seen->retransmissions, 0u);
}

TEST(diagnose, a_reset_that_is_written_to) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  connection c;
  reset(c.server);
  ASSERT_TRUE(wait_for_news(c.client));
  const fate first = diagnose(c.client.get(), operation::write, send(c.client));
  EXPECT_EQ(first.error, ECONNRESET);
  EXPECT_EQ(first.how, ending::peer_reset);
  EXPECT_EQ(first.when, phase::sending);
  EXPECT_EQ(first.again, retry::safe) << "the kernel never took a byte";
  const fate second = diagnose(c.client.get(), operation::write, send(c.client));
  EXPECT_EQ(second.error, EPIPE);
  EXPECT_EQ(second.how, ending::broken_pipe);
  EXPECT_EQ(second.or_else, std::nullopt);
  EXPECT_EQ(second.again, retry::safe);
}

TEST(diagnose, a_write_after_fin_and_reset) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  connection c;
  c.server.close();
  ASSERT_TRUE(wait_for_news(c.client));
  ASSERT_EQ(send(c.client), 0);  // answered with an RST
  pollfd hung{c.client.get(), 0, 0};
  ASSERT_EQ(::poll(&hung, 1, 5000), 1);
  const fate f = diagnose(c.client.get(), operation::write, send(c.client));
  EXPECT_EQ(f.error, EPIPE);
  EXPECT_EQ(f.how, ending::broken_pipe);
  EXPECT_EQ(f.again, retry::unknown);
  EXPECT_EQ(f.seen->unacknowledged, 5u + 0u);
}

TEST(diagnose, end_of_file) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  connection c;
  ASSERT_EQ(send(c.client), 0);
  ASSERT_EQ(receive(c.server), 0);
  ::shutdown(c.server.get(), SHUT_WR);
  ASSERT_TRUE(wait_for_news(c.client));
  ASSERT_EQ(receive(c.client), 0);
  const fate f = diagnose(c.client.get(), operation::read, 0, phase::receiving_reply);
  EXPECT_EQ(f.how, ending::peer_closed);
  EXPECT_EQ(f.when, phase::receiving_reply);
  EXPECT_EQ(f.detail, "end-of-file");
  EXPECT_EQ(f.again, retry::unknown);
  EXPECT_TRUE(f.seen->still_open) << "we may still write";
}

TEST(diagnose, end_of_file_before_a_byte_was_sent) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  connection c;
  c.server.close();
  ASSERT_EQ(receive(c.client), 0);
  const fate f = diagnose(c.client.get(), operation::read, 0, phase::idle);
  EXPECT_EQ(f.how, ending::peer_closed);
  EXPECT_EQ(f.again, retry::safe);
}

TEST(diagnose, a_write_after_our_own_shutdown) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  connection c;
  ::shutdown(c.client.get(), SHUT_WR);
  const fate f = diagnose(c.client.get(), operation::write, send(c.client));
  EXPECT_EQ(f.error, EPIPE);
  EXPECT_EQ(f.how, ending::local_failure);
}

TEST(diagnose, bytes_that_never_left_are_counted) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  connection c;
  set(c.client, SOL_SOCKET, SO_SNDBUF, 1 << 20);
  ASSERT_EQ(::fcntl(c.client.get(), F_SETFL, O_NONBLOCK), 0);
  while (send(c.client, std::string(65536, 'x')) == 0) {
  }
  reset(c.server);
  ASSERT_TRUE(wait_for_news(c.client));
  const fate f = diagnose(c.client.get(), operation::read, receive(c.client));
  EXPECT_EQ(f.how, ending::peer_reset);
  EXPECT_GT(f.seen->unsent, 10'000u);
  EXPECT_EQ(f.again, retry::unknown);
}

TEST(diagnose, a_connection_reset_before_accept) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  const listener port;
  descriptor client = port.connect();
  reset(client);
  const descriptor server = port.accept();
  ASSERT_TRUE(wait_for_news(server));
  const fate f = diagnose(server.get(), operation::accept, 0);
  EXPECT_EQ(f.how, ending::aborted_before_accept);
  EXPECT_EQ(f.when, phase::connecting);
  EXPECT_EQ(f.again, retry::safe);
  EXPECT_EQ(pending_error(server), ECONNRESET) << "was not taken away";
}

TEST(diagnose, an_accepted_connection_that_lives) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  const connection c;
  const fate f = diagnose(c.server.get(), operation::accept, 0);
  EXPECT_EQ(f.how, ending::completed);
  EXPECT_TRUE(f.seen->still_open);
}

TEST(diagnose, a_failed_accept_says_nothing_of_the_listener) {
  const connection c;
  for (const int error : {ECONNABORTED, EPROTO, ENETDOWN})
    EXPECT_EQ(diagnose(c.port.fd.get(), operation::accept, error).how, ending::aborted_before_accept);
  const fate f = diagnose(c.port.fd.get(), operation::accept, EMFILE);
  EXPECT_EQ(f.how, ending::local_failure);
  EXPECT_EQ(f.seen->last_heard, std::nullopt);
  EXPECT_FALSE(f.seen->still_open);
  EXPECT_EQ(diagnose(c.port.fd.get(), operation::accept, EAGAIN).how, ending::deadline_passed);
}

TEST(diagnose, a_nonblocking_connect_that_was_reset_had_been_open) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  const listener port;
  const descriptor client{checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket")};
  ::connect(client.get(), port.address(), sizeof port.at);
  descriptor server = port.accept();
  reset(server);
  ASSERT_TRUE(wait_for_news(client));
  const fate f = diagnose(client.get(), operation::connect, pending_error(client));
  EXPECT_EQ(f.error, ECONNRESET);
  EXPECT_EQ(f.how, ending::peer_reset);
  EXPECT_EQ(f.when, phase::idle);
  EXPECT_EQ(f.again, retry::safe);
}

// The peer answers each probe of its closed window, so it has not vanished.
TEST(diagnose, a_user_timeout_against_a_closed_window) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  connection c;
  liveness options;
  options.user_timeout = 400ms;
  ASSERT_TRUE(set_liveness(c.client.get(), options));
  ASSERT_EQ(::fcntl(c.client.get(), F_SETFL, O_NONBLOCK), 0);
  while (send(c.client, std::string(65536, 'x')) == 0) {
  }
  ASSERT_TRUE(wait_for_news(c.client));
  const fate f = diagnose(c.client.get(), operation::read, receive(c.client));
  EXPECT_EQ(f.error, ETIMEDOUT);
  EXPECT_EQ(f.how, ending::deadline_passed);
  EXPECT_EQ(f.or_else, ending::peer_vanished);
}

TEST(diagnose, leaves_errno_and_the_pending_error_alone) {
  connection c;
  reset(c.server);
  ASSERT_TRUE(wait_for_news(c.client));
  errno = E2BIG;
  EXPECT_EQ(diagnose(c.client.get(), operation::read, ECONNRESET).how, ending::peer_reset);
  EXPECT_EQ(diagnose(-1, operation::read, ECONNRESET).how, ending::peer_reset);
  EXPECT_EQ(diagnose(999'999, operation::accept, 0).how, ending::local_failure) << "EBADF on the way";
  EXPECT_EQ(errno, E2BIG);
  EXPECT_EQ(receive(c.client), ECONNRESET);
}

TEST(diagnose, without_a_socket) {
  const fate f = diagnose(-1, operation::connect, EMFILE);
  EXPECT_EQ(f.how, ending::local_failure);
  EXPECT_EQ(f.again, retry::safe);
  EXPECT_EQ(f.seen->last_heard, std::nullopt);
  EXPECT_EQ(diagnose(-1, operation::read, 0).how, ending::peer_closed);
  EXPECT_EQ(diagnose(-1, operation::read, ETIMEDOUT).again, retry::unknown);
  EXPECT_EQ(diagnose(-1, operation::write, ECONNREFUSED, phase::connecting).again, retry::unknown)
      << "data may have gone with the SYN";
}

TEST(diagnose, what_is_no_tcp_socket) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const descriptor read_end{ends[0]}, write_end{ends[1]};
  const descriptor udp{checked(::socket(AF_INET, SOCK_DGRAM, 0), "socket")};
  const descriptor local{checked(::socket(AF_UNIX, SOCK_STREAM, 0), "socket")};
  descriptor closed = tcp_socket();
  const int number = closed.get();
  closed.close();
  for (const int fd : {read_end.get(), udp.get(), local.get(), number, 1'000'000, -7})
    for (const operation during : {operation::connect, operation::accept, operation::read, operation::write})
      for (const int error : {0, ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, EBADF, -5, 5000}) {
        const fate f = diagnose(fd, during, error);
        EXPECT_EQ(f.seen->last_heard, std::nullopt);
        EXPECT_FALSE(to_string(f).empty());
        EXPECT_FALSE(explain(f).empty());
        const bool looked_at = error == 0 && during == operation::accept && fd >= 0;
        EXPECT_EQ(f.how, looked_at ? ending::local_failure : ending_of(during, error)) << fd;
      }
}

TEST(diagnose, a_unix_socket_has_no_rst_and_no_host_that_could_have_rebooted) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const descriptor here{ends[0]};
  descriptor there{ends[1]};
  ASSERT_EQ(::send(here.get(), "unread", 6, 0), 6);
  there.close();
  ASSERT_EQ(receive(here), ECONNRESET);
  const fate reset = diagnose(here.get(), operation::read, ECONNRESET);
  EXPECT_EQ(reset.how, ending::peer_reset);
  EXPECT_EQ(reset.or_else, std::nullopt);
  ASSERT_EQ(::send(here.get(), "more", 4, MSG_NOSIGNAL), -1);
  ASSERT_EQ(errno, EPIPE);
  EXPECT_EQ(diagnose(here.get(), operation::write, EPIPE).how, ending::broken_pipe);
  const descriptor fresh{checked(::socket(AF_UNIX, SOCK_STREAM, 0), "socket")};
  const fate nobody = diagnose(fresh.get(), operation::connect, ENOENT);
  EXPECT_EQ(nobody.how, ending::refused);
  EXPECT_EQ(nobody.again, retry::safe);
}

TEST(diagnose, a_socket_that_was_never_connected) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  const descriptor fresh = tcp_socket();
  EXPECT_EQ(diagnose(fresh.get(), operation::read, ENOTCONN).how, ending::local_failure);
  EXPECT_EQ(diagnose(fresh.get(), operation::connect, EADDRNOTAVAIL).again, retry::safe);
  const fate f = diagnose(fresh.get(), operation::connect, ENETUNREACH);
  EXPECT_EQ(f.how, ending::net_unreachable);
  EXPECT_TRUE(f.could_be(ending::local_failure)) << "no packet went out";
}

}  // namespace
}  // namespace halfopen
