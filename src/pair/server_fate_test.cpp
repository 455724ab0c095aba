// What the robust server does when clients die, misbehave or pile up, and when it is
// told to stop.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>
#include <vector>

#include "pair/test_programs.hpp"

namespace halfopen::pair {
namespace {

using namespace test;
using std::chrono::milliseconds;

bool echoes(const descriptor& c, const std::string& line = "hello\n") {
  write_all(c.get(), line);
  return read_line(c.get()) == line;
}

TEST(robust_server, sigterm_finishes_what_was_begun) {
  running_server server{server_of(kind::robust, service::echo)};
  const descriptor idle = connect_to(server.port);
  const descriptor half = connect_to(server.port);
  const descriptor asked = connect_to(server.port);
  write_all(half.get(), "hel");
  EXPECT_TRUE(echoes(idle));
  server.stop();
  write_all(asked.get(), "one\ntwo\n");
  const descriptor queued = connect_to(server.port);
  write_all(queued.get(), "queued\n");
  server.signal(SIGTERM);
  server.signal(SIGCONT);

  EXPECT_EQ(read_some(asked.get()), "one\ntwo\n");
  EXPECT_EQ(read_some(queued.get()), "queued\n");
  EXPECT_TRUE(at_end(idle.get()));
  EXPECT_FALSE(connect_to(server.port)) << "a new connection is refused";
  write_all(half.get(), "lo\n");
  EXPECT_EQ(read_some(half.get()), "hello\n");
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(read_some(server.err()), "");
}

TEST(robust_server, the_grace_ends_for_a_request_that_is_never_whole) {
  auto options = server_of(kind::robust, service::echo);
  options.grace = milliseconds{300};
  running_server server{options};
  const descriptor half = connect_to(server.port);
  write_all(half.get(), "hel");
  std::this_thread::sleep_for(moment / 2);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(read_some(server.err()), "serve: the grace is over, connections cut off: 1\n");
}

TEST(robust_server, a_request_that_is_not_whole_in_time_costs_its_connection) {
  auto options = server_of(kind::robust, service::echo);
  options.timeout = milliseconds{200};
  running_server server{options};
  const descriptor slow = connect_to(server.port);
  const descriptor idle = connect_to(server.port);
  const auto start = std::chrono::steady_clock::now();
  write_all(slow.get(), "hel");
  EXPECT_TRUE(at_end(slow.get()));
  EXPECT_GE(std::chrono::steady_clock::now() - start, options.timeout);
  EXPECT_THAT(read_line(server.err()), testing::HasSubstr("deadline_passed while receiving_reply"));
  EXPECT_TRUE(echoes(idle)) << "who has asked nothing may stay";
}

TEST(robust_server, can_be_started_again_at_once) {
  auto options = server_of(kind::robust, service::echo);
  {
    running_server first{options};
    options.port = first.port;
    const descriptor c = connect_to(first.port);
    EXPECT_TRUE(echoes(c));
    first.signal(SIGTERM);
    EXPECT_TRUE(at_end(c.get()));
  }  // killed; its side closed first, so its port is in TIME_WAIT
  process again{[&options] { return serve(options); }};
  EXPECT_EQ(read_line(again.out()), "listening on 127.0.0.1:" + std::to_string(options.port) + "\n");
}

TEST(robust_server, a_client_that_has_shut_its_writing_side_still_gets_its_reply) {
  running_server server{server_of(kind::robust, service::sum)};
  const descriptor c = connect_to(server.port);
  write_all(c.get(), "1 2\n");
  ::shutdown(c.get(), SHUT_WR);
  EXPECT_EQ(read_some(c.get()), "3\n");
  EXPECT_EQ(read_some(server.err(), 1, moment), "");
}

TEST(robust_server, malformed_bytes_end_their_own_connection_after_an_error_reply) {
  running_server server{server_of(kind::robust, service::sum)};
  const descriptor other = connect_to(server.port);
  const descriptor c = connect_to(server.port);
  write_all(c.get(), "1 2\nx\n" + std::string(300'000, 'y'));  // a reset would destroy the reply
  EXPECT_EQ(read_some(c.get()), "3\nerror malformed\n");
  const std::string told = read_line(server.err());
  EXPECT_TRUE(told.contains(": malformed while ")) << told;
  EXPECT_TRUE(told.ends_with(": a text line that is not the integers expected; retry: pointless\n")) << told;
  write_all(other.get(), "1 2\n");
  EXPECT_EQ(read_line(other.get()), "3\n");
}

TEST(robust_server, a_line_above_the_limit_is_refused) {
  auto options = server_of(kind::robust, service::echo);
  options.max_line = 1000;
  running_server server{options};
  const descriptor c = connect_to(server.port);
  EXPECT_TRUE(echoes(c, std::string(1000, 'x') + '\n'));
  write_all(c.get(), std::string(1001, 'x'));
  EXPECT_EQ(read_some(c.get()), "error too_long\n");
}

TEST(robust_server, resets_end_their_own_connection_with_a_name) {
  running_server server{server_of(kind::robust, service::echo)};
  const descriptor other = connect_to(server.port);
  descriptor c = connect_to(server.port);
  EXPECT_TRUE(echoes(c));
  reset(c);
  EXPECT_TRUE(
      read_line(server.err())
          .contains(": peer_reset or peer_rebooted while idle: read: ECONNRESET (Connection reset by peer)"));
  for (int i = 0; i < 200; ++i) {
    descriptor aborted = connect_to(server.port);
    reset(aborted);
  }
  EXPECT_TRUE(echoes(other));
}

TEST(robust_server, a_client_that_never_reads_is_not_read_from_either) {
  running_server server{server_of(kind::robust, service::echo)};
  const descriptor greedy = connect_to(server.port);
  ::fcntl(greedy.get(), F_SETFL, O_NONBLOCK);
  const std::string lines = [] {
    std::string all;
    for (int i = 0; i < 1000; ++i) all += std::string(99, 'x') + '\n';
    return all;
  }();
  std::size_t taken = 0;
  for (int stuck = 0; stuck < 20 && taken < (std::size_t{1} << 30);) {
    const ssize_t size = ::send(greedy.get(), lines.data(), lines.size(), MSG_NOSIGNAL);
    if (size > 0) {
      taken += static_cast<std::size_t>(size);
      stuck = 0;
    } else {
      ++stuck;
      std::this_thread::sleep_for(milliseconds{10});
    }
  }
  EXPECT_LT(taken, std::size_t{64} << 20);
  EXPECT_TRUE(echoes(connect_to(server.port)));
}

TEST(robust_server, running_out_of_descriptors_is_waited_out_and_not_spun_through) {
  const auto options = server_of(kind::robust, service::echo);
  auto limited = options;
  limited.port = 0;
  process server{[&limited] {
    const rlimit few{12, 12};
    ::setrlimit(RLIMIT_NOFILE, &few);
    return serve(limited);
  }};
  const std::string line = read_line(server.out());
  const auto port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  {
    std::vector<descriptor> many;
    for (int i = 0; i < 20; ++i) many.push_back(connect_to(port));
    EXPECT_TRUE(echoes(many.front()));
    EXPECT_EQ(read_line(server.err()),
              "serve: accept: EMFILE (Too many open files); trying again every 100 ms\n");
    EXPECT_EQ(read_some(server.err(), 1, milliseconds{400}), "");
  }
  EXPECT_TRUE(echoes(connect_to(port)));
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_LT(server.cpu_time(), milliseconds{200});
}

}  // namespace
}  // namespace halfopen::pair
