// Messages, and how a stream is left: what the other side gets then.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <thread>

#include "halfopen/stream.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

asio::awaitable<void> drain_after(stream& s, std::chrono::milliseconds delay) {
  asio::steady_timer timer(s.get_executor(), delay);
  co_await timer.async_wait(asio::use_awaitable);
  s.drain();
}

TEST(next_message, begins_with_its_first_byte) {
  conversation c;
  EXPECT_EQ(c.play(c.s.next_message(20ms)).error().how, ending::deadline_passed);
  send_all(c.peer.get(), "a");
  EXPECT_TRUE(c.play(c.s.next_message(ample)));
  EXPECT_EQ(c.s.unread(), "a");
  EXPECT_TRUE(c.play(c.s.next_message(ample))) << "it is here already";
}

TEST(next_message, a_fin_before_it_is_completion_and_within_it_is_not) {
  conversation idle;
  finish(idle.peer);
  EXPECT_EQ(idle.play(idle.s.next_message(ample)).error().how, ending::completed);
  conversation within;
  send_all(within.peer.get(), "a");
  finish(within.peer);
  EXPECT_TRUE(within.play(within.s.next_message(ample)));
  EXPECT_EQ(within.line().error().how, ending::peer_closed);
}

TEST(next_message, drain_ends_a_wait_for_it) {
  conversation c;
  asio::co_spawn(c.context, drain_after(c.s, 20ms), asio::detached);
  const auto next = c.play(c.s.next_message(deadline::never()));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().how, ending::shut_down);
  EXPECT_EQ(c.s.how_it_ended(), nullptr);
}

TEST(next_message, a_drain_before_it_lets_in_what_is_here_and_nothing_else) {
  conversation c;
  c.s.drain();
  send_all(c.peer.get(), "a\n");
  EXPECT_TRUE(c.play(c.s.next_message(ample)));
  EXPECT_EQ(c.line().value(), "a");
  EXPECT_EQ(c.play(c.s.next_message(deadline::never())).error().how, ending::shut_down);
}

TEST(next_message, a_drain_does_not_end_the_reading_of_a_message) {
  conversation c;
  send_all(c.peer.get(), "hal");
  ASSERT_TRUE(c.play(c.s.next_message(ample)));
  asio::co_spawn(c.context, drain_after(c.s, 10ms), asio::detached);
  const std::jthread rest([&] {
    std::this_thread::sleep_for(moment);
    send_all(c.peer.get(), "f\n");
  });
  EXPECT_EQ(c.line().value(), "half");
}

TEST(next_message, again_is_of_the_reply_under_way) {
  conversation c;
  send_all(c.peer.get(), "a\n");
  ASSERT_TRUE(c.play(c.s.next_message(ample)));
  ASSERT_TRUE(c.line());
  ASSERT_TRUE(c.write("b\n"));
  EXPECT_EQ(c.play(c.s.next_message(10ms)).error().again, retry::pointless) << "that one was answered";
}

/// Writes much that nobody reads, then reads the reply to its end.
struct talkative {
  explicit talkative(int fd)
      : thread([this, fd] {
          for (int i = 0; i < 20 && send_all(fd, std::string(std::size_t{64} << 10, 'x')); ++i)
            std::this_thread::sleep_for(2ms);
          finished_writing = ::shutdown(fd, SHUT_WR) == 0;
          got = receive(fd);
        }) {}
  bool finished_writing = false;
  received got;
  std::jthread thread;
};

TEST(close, a_reply_arrives_though_the_peer_still_sends) {
  conversation c;
  const std::string reply(std::size_t{200} << 10, 'r');
  talkative peer(c.peer.get());
  ASSERT_TRUE(c.play(c.s.read(ample)));
  ASSERT_TRUE(c.write(reply));
  c.play(c.s.close(deadline::never()));  // the peer's FIN ends it
  EXPECT_FALSE(c.s);
  peer.thread.join();
  EXPECT_TRUE(peer.finished_writing);
  EXPECT_EQ(peer.got.bytes, reply);
  EXPECT_TRUE(peer.got.ended) << "errno " << peer.got.error;
}

TEST(close, the_destructor_protects_a_reply_from_what_has_come) {
  conversation c;
  send_all(c.peer.get(), std::string(50'000, 'x'));
  ASSERT_TRUE(c.play(c.s.read(ample)));
  send_all(c.peer.get(), std::string(50'000, 'x'));
  ASSERT_TRUE(c.write("reply"));
  c.s = stream();
  const received got = receive(c.peer.get());
  EXPECT_EQ(got.bytes, "reply");
  EXPECT_TRUE(got.ended) << "errno " << got.error;
  // After the FIN, which recv(2) tells first, an RST shows here only.
  int error = 0;
  socklen_t size = sizeof error;
  ASSERT_EQ(::getsockopt(c.peer.get(), SOL_SOCKET, SO_ERROR, &error, &size), 0);
  EXPECT_EQ(error, 0) << "there was an RST";
}

TEST(close, waits_no_longer_than_its_deadline_for_a_peer_that_stays) {
  conversation c;
  const auto start = steady_clock::now();
  c.play(c.s.close(60ms));
  EXPECT_GE(steady_clock::now() - start, 60ms);
  EXPECT_TRUE(receive(c.peer.get()).ended);
}

TEST(close, a_peer_that_sends_for_ever_does_not_keep_it) {
  conversation c;
  std::jthread flood([&](const std::stop_token& stop) {
    const std::string much(65536, 'x');
    while (!stop.stop_requested() && send_all(c.peer.get(), much)) {
    }
  });
  c.play(c.s.close(60ms));
}

TEST(close, of_one_that_has_ended_returns_at_once) {
  for (const bool rst : {true, false}) {
    conversation c;
    if (rst)
      reset(c.peer);
    else
      finish(c.peer);
    ASSERT_FALSE(c.line());
    c.play(c.s.close(deadline::never()));
    EXPECT_FALSE(c.s);
  }
  conversation empty;
  const stream taken = std::move(empty.s);
  empty.play(empty.s.close(deadline::never()));
}

TEST(reset, the_peer_gets_an_rst) {
  conversation c;
  ASSERT_TRUE(c.write("half a rep"));
  c.s.reset();
  EXPECT_FALSE(c.s);
  EXPECT_EQ(receive(c.peer.get()).error, ECONNRESET);
}

TEST(stream_descriptors, none_is_left_behind) {
  const std::size_t before = [] {
    const conversation first;  // and epoll's own
    return open_descriptors();
  }();
  for (int i = 0; i < 20; ++i) {
    conversation c;
    EXPECT_EQ(open_descriptors(), before);
    if (i % 2 == 0) c.play(c.s.close(0ms));
    if (i % 3 == 0 && c.s) c.s.reset();
  }
}

}  // namespace
}  // namespace halfopen::net
