// A handler of one message: what the server itself does between the messages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/steady_timer.hpp>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "halfopen/server.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using asio::ip::tcp;

/// Answers a line with itself. Some lines ask for something else.
asio::awaitable<stream::result<void>> answer_line(stream& s) {
  EXPECT_FALSE(s.unread().empty()) << "the first byte is here";
  const auto line = co_await s.read_line(100, 1h);
  if (!line) co_return std::unexpected(line.error());
  if (*line == "throw") throw std::runtime_error("on purpose");
  if (*line == "bad") co_return std::unexpected(s.malformed("a bad line"));
  if (*line == "close") {
    co_await s.close(1h);
    co_return stream::result<void>();
  }
  if (*line == "half") {
    static_cast<void>(co_await s.write("half a re", ample));
    asio::steady_timer timer(s.get_executor(), 1h);
    co_await timer.async_wait(asio::use_awaitable);
  }
  const std::string reply = std::string(*line) + "\n";
  co_return co_await s.write(reply, ample);
}

struct running_server {
  explicit running_server(server_options options = {}, server::message_handler serve = answer_line)
      : s(with_ends(std::move(options)), std::move(serve)) {
    if (!s.open()) throw std::runtime_error("cannot listen");
    runs = std::jthread([this] { done = s.run(); });
  }
  ~running_server() { s.stop(); }

  server_options with_ends(server_options options) {
    options.heed_signals = false;
    options.ended = [this](const tcp::endpoint&, const fate& how) {
      const std::scoped_lock held(lock);
      ends.push_back(how);
    };
    return options;
  }
  [[nodiscard]] unique_fd call() const { return connect_to(s.local()); }
  /// The next end of a connection that is told.
  fate end() {
    for (int i = 0; i < 20'000; ++i) {
      {
        const std::scoped_lock held(lock);
        if (seen < ends.size()) return ends[seen++];
      }
      std::this_thread::sleep_for(1ms);
    }
    throw std::runtime_error("no connection ended");
  }
  server::outcome stop() {
    s.stop();
    runs.join();
    return done.value();
  }

  std::mutex lock;
  std::vector<fate> ends;
  std::size_t seen = 0;
  std::expected<server::outcome, fate> done{};
  server s;
  std::jthread runs;
};

bool is_answered(const unique_fd& c, const std::string& line = "hello\n") {
  return send_all(c.get(), line) && receive(c.get(), line.size()).bytes == line;
}

TEST(server_messages, each_is_answered_however_many_there_are_and_connections_between_them) {
  running_server server({.threads = 2});
  std::vector<unique_fd> callers;
  for (int i = 0; i < 40; ++i) callers.push_back(server.call());
  for (int n = 0; n < 3; ++n)
    for (const unique_fd& c : callers) EXPECT_TRUE(is_answered(c));
  for (const unique_fd& c : callers) send_all(c.get(), "all at once\n");
  for (const unique_fd& c : callers) EXPECT_EQ(receive(c.get(), 12).bytes, "all at once\n");
}

TEST(server_messages, more_at_one_time_than_coroutines_are_kept) {
  running_server server;
  std::vector<unique_fd> callers;
  for (int i = 0; i < 40; ++i) {
    callers.push_back(server.call());
    send_all(callers.back().get(), "hel");
  }
  std::this_thread::sleep_for(moment);
  for (int again = 0; again < 2; ++again) {
    for (const unique_fd& c : callers) send_all(c.get(), "lo\nhel");
    for (const unique_fd& c : callers) EXPECT_EQ(receive(c.get(), 6).bytes, "hello\n");
  }
}

TEST(server_messages, those_that_came_together_are_answered_in_their_order) {
  running_server server;
  const unique_fd c = server.call();
  std::string many;
  for (int i = 0; many.size() < 300'000; ++i) many += std::to_string(i) + "\n";
  const std::jthread sends([&] { send_all(c.get(), many); });
  EXPECT_EQ(receive(c.get(), many.size()).bytes, many);
}

TEST(server_messages, the_peers_fin_between_them_is_completed_and_within_one_is_not) {
  running_server server;
  const unique_fd between = server.call();
  EXPECT_TRUE(is_answered(between));
  finish(between);
  EXPECT_EQ(server.end().how, ending::completed);
  const unique_fd within = server.call();
  send_all(within.get(), "hel");
  finish(within);
  EXPECT_EQ(server.end().how, ending::peer_closed);
  const unique_fd last = server.call();
  send_all(last.get(), "hello\n");
  finish(last);
  EXPECT_EQ(receive(last.get()).bytes, "hello\n");
  EXPECT_EQ(server.end().how, ending::completed);
}

TEST(server_messages, a_reset_between_them_is_told) {
  running_server server;
  unique_fd c = server.call();
  EXPECT_TRUE(is_answered(c));
  reset(c);
  const fate how = server.end();
  EXPECT_TRUE(how.could_be(ending::peer_reset));
  EXPECT_EQ(how.when, phase::idle);
}

TEST(server_messages, a_fate_from_the_handler_ends_the_connection_and_so_does_an_exception) {
  running_server server;
  const unique_fd bad = server.call();
  send_all(bad.get(), "bad\nnot read any more\n");
  EXPECT_EQ(receive(bad.get()).bytes, "");
  EXPECT_EQ(server.end().how, ending::malformed);
  const unique_fd thrown = server.call();
  send_all(thrown.get(), "throw\n");
  EXPECT_EQ(receive(thrown.get()).bytes, "");
  EXPECT_EQ(server.end().how, ending::local_failure);
  const unique_fd other = server.call();
  EXPECT_TRUE(is_answered(other));
}

TEST(server_messages, a_handler_may_close_its_connection_itself) {
  running_server server;
  const unique_fd c = server.call();
  send_all(c.get(), "close\n");
  EXPECT_TRUE(receive(c.get()).ended);
  finish(c);
  EXPECT_EQ(server.end().how, ending::completed);
}

TEST(server_messages, a_connection_that_is_idle_for_too_long_ends) {
  running_server server({.idle_limit = 50ms});
  const unique_fd silent = server.call();
  EXPECT_TRUE(receive(silent.get()).ended);
  const fate never_asked = server.end();
  EXPECT_EQ(never_asked.how, ending::deadline_passed);
  EXPECT_EQ(never_asked.when, phase::idle);
}

TEST(server_messages, the_limit_of_idleness_is_none_of_a_message) {
  running_server server({.idle_limit = 200ms});
  const unique_fd slow = server.call();
  send_all(slow.get(), "hel");
  std::this_thread::sleep_for(400ms);
  send_all(slow.get(), "lo\n");
  EXPECT_EQ(receive(slow.get(), 6).bytes, "hello\n");
}

TEST(server_messages, a_drain_closes_who_is_idle_and_finishes_what_is_under_way) {
  running_server server({.grace = 1h});
  const unique_fd never_asked = server.call();
  unique_fd idle = server.call();
  unique_fd half = server.call();
  EXPECT_TRUE(is_answered(idle) && is_answered(half));
  send_all(half.get(), "hel");
  std::this_thread::sleep_for(moment);
  server.s.stop();
  EXPECT_TRUE(receive(idle.get()).ended);
  EXPECT_TRUE(receive(never_asked.get()).ended);
  finish(idle);
  finish(never_asked);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(server.end().how, ending::shut_down);
  send_all(half.get(), "lo\n");
  const received got = receive(half.get());
  EXPECT_EQ(got.bytes, "hello\n");
  EXPECT_TRUE(got.ended);
  finish(half);
  const server::outcome done = server.stop();
  EXPECT_EQ(done.served, 3U);
  EXPECT_EQ(done.cut_off, 0U);
}

TEST(server_messages, what_the_grace_is_too_short_for_is_cut_off) {
  running_server server({.grace = 100ms});
  const unique_fd stuck = server.call();
  const unique_fd waits = server.call();
  EXPECT_TRUE(is_answered(waits));
  send_all(stuck.get(), "half\n");
  EXPECT_EQ(receive(stuck.get(), 9).bytes, "half a re");
  finish(waits);
  EXPECT_EQ(server.end().how, ending::completed);
  EXPECT_EQ(server.stop().cut_off, 1U);
  EXPECT_EQ(receive(stuck.get()).error, ECONNRESET);
}

TEST(server_messages, a_server_goes_away_with_those_that_wait_and_those_that_are_played) {
  const std::size_t before = open_descriptors();
  {
    std::vector<unique_fd> callers;
    running_server server({.grace = 20ms, .linger = 1h});
    for (const char* line : {"", "", "hel", "hel", "half\n", "hello\n"}) {
      callers.push_back(server.call());
      send_all(callers.back().get(), line);
    }
    EXPECT_EQ(receive(callers.back().get(), 6).bytes, "hello\n");
    static_cast<void>(server.stop());
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace halfopen::net
