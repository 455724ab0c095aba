// What the clients do when their server dies, on loopback, where an RST and a FIN can
// be had; silence and ICMP need the lab.

#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "pair/test_programs.hpp"

namespace halfopen::pair {
namespace {

using namespace test;
using std::chrono::milliseconds;

// A client that is connected to a server of the test's.
struct connected : process {
  connected(kind who, const fake_server& s, service what = service::echo, milliseconds timeout = patience)
      : process([who, what, timeout, target = s.target()] {
          auto options = client_of(who, what, target);
          options.timeout = timeout;
          return call(options);
        }),
        server(s.accept()),
        prefix("call: " + s.target() + ": ") {}

  // Its one line of complaint without the prefix, once it has ended with status 1.
  std::string complaint() {
    const std::string all = read_some(err());
    EXPECT_EQ(wait(), 1);
    EXPECT_TRUE(all.starts_with(prefix)) << all;
    return all.substr(std::min(prefix.size(), all.size()));
  }

  descriptor server;
  std::string prefix;
};

TEST(robust_client, tells_a_fin_at_once_while_it_waits_for_its_user) {
  const fake_server s;
  connected c{kind::robust, s};
  c.server.reset();
  EXPECT_EQ(c.complaint(), "completed while idle: read: end-of-file; retry: safe\n");
}

TEST(robust_client, tells_a_reset_at_once_while_it_waits_for_its_user) {
  const fake_server s;
  connected c{kind::robust, s};
  write_all(c.in(), "hello\n");
  EXPECT_EQ(read_line(c.server.get()), "hello\n");
  write_all(c.server.get(), "hello\n");
  EXPECT_EQ(read_line(c.out()), "hello\n");
  reset(c.server);
  EXPECT_EQ(c.complaint(),
            "peer_reset or peer_rebooted while idle: read: ECONNRESET (Connection reset by peer); retry: "
            "pointless\n");
}

TEST(robust_client, tells_a_reset_after_the_request) {
  const fake_server s;
  connected c{kind::robust, s};
  write_all(c.in(), "hello\n");
  EXPECT_EQ(read_line(c.server.get()), "hello\n");
  reset(c.server);
  EXPECT_EQ(c.complaint(),
            "peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET (Connection reset by peer); "
            "retry: unknown\n");
}

TEST(robust_client, does_not_take_half_a_reply_for_a_whole_one) {
  const fake_server s;
  connected c{kind::robust, s, service::sum};
  write_all(c.in(), "1 22\n");
  EXPECT_EQ(read_line(c.server.get()), "1 22\n");
  write_all(c.server.get(), "2");
  c.server.reset();
  EXPECT_EQ(c.complaint(), "peer_closed while receiving_reply: read: end-of-file; retry: unknown\n");
  EXPECT_EQ(read_some(c.out()), "");
}

TEST(naive_client, takes_half_a_reply_for_a_whole_one) {
  const fake_server s;
  connected c{kind::naive, s, service::sum};
  write_all(c.in(), "1 22\n");
  c.close_in();
  EXPECT_EQ(read_line(c.server.get()), "1 22\n");
  write_all(c.server.get(), "2");
  c.server.reset();
  EXPECT_EQ(c.wait(), 0);
  EXPECT_EQ(read_some(c.out()), "2");
}

TEST(naive_client, notices_a_fin_one_request_later) {
  const fake_server s;
  connected c{kind::naive, s};
  c.server.reset();
  EXPECT_EQ(read_some(c.err(), 1, moment), "");
  write_all(c.in(), "hello\n");
  const std::string told = c.complaint();
  EXPECT_TRUE(told == "server terminated prematurely\n" ||
              told == "read: ECONNRESET (Connection reset by peer)\n")
      << told;
}

// Whichever is seen first: not a byte of the line has left, and it may be asked again.
TEST(robust_client, tells_a_reset_that_comes_together_with_the_user) {
  const fake_server s;
  connected c{kind::robust, s};
  std::this_thread::sleep_for(moment);  // until it polls
  c.stop();
  reset(c.server);
  write_all(c.in(), "hello\n");
  c.signal(SIGCONT);
  const std::string told = c.complaint();
  EXPECT_TRUE(told.starts_with("peer_reset or peer_rebooted while ")) << told;
  EXPECT_TRUE(told.ends_with(": ECONNRESET (Connection reset by peer); retry: safe\n")) << told;
}

TEST(robust_client, a_write_after_fin_and_reset_is_a_broken_pipe_and_no_death) {
  const fake_server s;
  connected c{kind::robust, s};
  std::this_thread::sleep_for(moment);
  c.stop();
  ::shutdown(c.server.get(), SHUT_WR);
  reset(c.server);
  write_all(c.in(), "hello\n");
  c.signal(SIGCONT);
  EXPECT_EQ(c.complaint(), "broken_pipe while sending: write: EPIPE (Broken pipe); retry: safe\n");
}

TEST(naive_client, dies_of_sigpipe_when_it_writes_after_fin_and_reset) {
  const fake_server s;
  connected c{kind::naive, s};
  ::shutdown(c.server.get(), SHUT_WR);
  reset(c.server);
  write_all(c.in(), "hello\n");
  EXPECT_EQ(c.wait(), 128 + SIGPIPE);
}

TEST(robust_client, takes_the_replies_that_came_before_the_reset) {
  const fake_server s;
  process c{[&s] {
    auto options = client_of(kind::robust, service::echo, s.target());
    options.pipeline = 3;
    return call(options);
  }};
  descriptor server = s.accept();
  write_all(c.in(), "one\ntwo\n");
  EXPECT_EQ(read_some(server.get(), 8), "one\ntwo\n");
  c.stop();
  write_all(server.get(), "one\ntw");
  reset(server);
  write_all(c.in(), "three\n");
  c.signal(SIGCONT);
  EXPECT_EQ(c.wait(), 1);
  EXPECT_EQ(read_some(c.out()), "one\n");
  const std::string told = read_some(c.err());
  EXPECT_TRUE(told.contains("peer_reset or peer_rebooted while ")) << told;
  EXPECT_TRUE(told.ends_with("ECONNRESET (Connection reset by peer); retry: unknown\n")) << told;
}

TEST(robust_client, an_end_after_the_last_reply_is_no_failure) {
  const fake_server s;
  connected c{kind::robust, s};
  std::this_thread::sleep_for(moment);
  write_all(c.in(), "hello\n");
  c.close_in();
  EXPECT_EQ(read_line(c.server.get()), "hello\n");
  write_all(c.server.get(), "hello\n");
  reset(c.server);
  EXPECT_EQ(c.wait(), 0);
  EXPECT_EQ(read_some(c.out()), "hello\n");
}

TEST(robust_client, the_other_connections_go_on) {
  const fake_server dies;
  running_server lives{server_of(kind::robust, service::echo)};
  process c{[&] {
    auto options = client_of(kind::robust, service::echo, dies.target());
    options.targets.push_back(lives.target());
    return call(options);
  }};
  descriptor server = dies.accept();
  write_all(c.in(), "one\n");
  EXPECT_EQ(read_line(server.get()), "one\n");
  reset(server);
  EXPECT_EQ(read_line(c.out()), "one\n");
  EXPECT_TRUE(read_line(c.err()).starts_with("call: " + dies.target() +
                                             ": peer_reset or peer_rebooted while awaiting_reply"));
  write_all(c.in(), "two\n");
  EXPECT_EQ(read_line(c.out()), "two\n");
  c.close_in();
  EXPECT_EQ(c.wait(), 1);
  EXPECT_EQ(read_some(c.err()), "");
}

TEST(robust_client, gives_up_waiting_at_its_deadline) {
  const fake_server s;
  connected c{kind::robust, s, service::sum, milliseconds{150}};
  write_all(c.in(), "1 2\n");
  EXPECT_EQ(c.complaint(),
            "deadline_passed while awaiting_reply: read: no whole reply within 150 ms; retry: unknown\n");
}

TEST(robust_client, connecting_has_a_deadline_and_refusal_a_name) {
  std::string refused;
  {
    const fake_server s;
    refused = s.target();
  }
  for (const kind who : kinds) {
    const auto options = client_of(who, service::echo, refused);
    process c{[&options] { return call(options); }};
    EXPECT_EQ(c.wait(), 1);
    EXPECT_EQ(
        read_some(c.err()),
        "call: " + refused +
            (who == kind::robust
                 ? ": refused while connecting: connect: ECONNREFUSED (Connection refused); retry: safe\n"
                 : ": connect: ECONNREFUSED (Connection refused)\n"));
  }
}

TEST(robust_client, a_reply_that_is_none_is_malformed) {
  for (const std::string_view reply : {"three\n", "error malformed\n", "3\n4\n"}) {
    const fake_server s;
    connected c{kind::robust, s, service::sum};
    write_all(c.in(), "1 2\n");
    EXPECT_EQ(read_line(c.server.get()), "1 2\n");
    write_all(c.server.get(), reply);
    const std::string told = c.complaint();
    EXPECT_TRUE(told.starts_with("malformed while ")) << told;
    EXPECT_TRUE(told.ends_with("; retry: pointless\n")) << told;
  }
}

TEST(robust_client, input_that_is_no_request_is_told_and_the_rest_is_asked) {
  running_server server{server_of(kind::robust, service::sum)};
  const auto options = client_of(kind::robust, service::sum, server.target());
  process c{[&options] { return call(options); }};
  write_all(c.in(), "one two\n1 2\n");
  c.close_in();
  EXPECT_EQ(c.wait(), 1);
  EXPECT_EQ(read_some(c.out()), "3\n");
  EXPECT_EQ(read_some(c.err()), "call: invalid input: a text line that is not the integers expected\n");
}

}  // namespace
}  // namespace halfopen::pair
