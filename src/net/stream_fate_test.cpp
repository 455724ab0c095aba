// How a stream ends, and what may be asked again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "halfopen/stream.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// What the peer does, and what has been done when it does it.
struct last_act {
  bool data;
  bool rst;
  bool before_first_read;  // else after the stream has read a line
  int write;               // of the reader, between line and end: none, no bytes, some
};

std::string name_of_act(const testing::TestParamInfo<last_act>& info) {
  const last_act& a = info.param;
  return std::string(a.data ? "data_and_" : "") + (a.rst ? "rst" : "fin") +
         (a.before_first_read ? "_at_once" : "_later") +
         (a.write == 0   ? ""
          : a.write == 1 ? "_empty_write"
                         : "_write");
}

std::vector<last_act> all_acts() {
  std::vector<last_act> all;
  for (const bool data : {true, false})
    for (const bool rst : {true, false})
      for (const bool at_once : {true, false})
        for (const int write : {0, 1, 2}) all.push_back({data, rst, at_once, write});
  return all;
}

struct last_acts : testing::TestWithParam<last_act> {
  void act(conversation& c) const {
    if (GetParam().data) send_all(c.peer.get(), "last\n");
    if (GetParam().rst)
      reset(c.peer);
    else
      finish(c.peer);
  }
};

TEST_P(last_acts, what_came_is_read_and_then_the_end_is_told_without_waiting) {
  const last_act a = GetParam();
  conversation c;
  send_all(c.peer.get(), "first\n");
  if (a.before_first_read) act(c);
  EXPECT_EQ(c.line().value(), "first");
  if (!a.before_first_read) act(c);
  if (a.write != 0) static_cast<void>(c.write(a.write == 1 ? "" : "x"));
  if (a.data) {
    EXPECT_EQ(c.line().value_or("lost"), "last");
  }
  for (int i = 0; i < 2; ++i) {
    const auto end = c.line();
    ASSERT_FALSE(end);
    EXPECT_NE(end.error().how, ending::deadline_passed) << "it waited for an edge that had come already";
    if (!a.rst) {
      EXPECT_EQ(end.error().how, ending::peer_closed);
      EXPECT_EQ(end.error().detail, "end-of-file");
    } else if (a.write == 2) {
      EXPECT_TRUE(end.error().could_be(ending::peer_reset) || end.error().how == ending::broken_pipe)
          << to_string(end.error());
    } else {
      EXPECT_TRUE(end.error().could_be(ending::peer_reset)) << to_string(end.error());
      EXPECT_TRUE(end.error().could_be(ending::peer_rebooted));
    }
    ASSERT_NE(c.s.how_it_ended(), nullptr);
    EXPECT_EQ(c.s.how_it_ended()->how, end.error().how);
  }
}

INSTANTIATE_TEST_SUITE_P(stream, last_acts, testing::ValuesIn(all_acts()), name_of_act);

// A read that would find nothing is left out when that is known: never wrongly.
TEST(stream_fate, no_end_is_missed_whenever_it_comes) {
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    conversation c;
    const bool rst = random() % 2 == 0;
    const auto delay = std::chrono::microseconds(random() % 150);
    const bool with_data = random() % 2 == 0;
    const std::jthread peer([&] {
      send_all(c.peer.get(), "ask\n");
      for (const auto until = steady_clock::now() + delay; steady_clock::now() < until;) {
      }
      if (with_data) send_all(c.peer.get(), "again\n");
      if (rst)
        reset(c.peer);
      else
        finish(c.peer);
    });
    ASSERT_TRUE(c.line()) << i;
    static_cast<void>(c.write("answer\n"));
    if (with_data) {
      ASSERT_EQ(c.line().value_or("lost"), "again") << i;
    }
    const auto end = c.line();
    ASSERT_FALSE(end) << i;
    ASSERT_NE(end.error().how, ending::deadline_passed) << i << (rst ? " rst" : " fin");
  }
}

TEST(stream_fate, the_end_in_an_idle_moment_is_completion) {
  conversation c;
  ASSERT_TRUE(c.write("ask\n"));
  send_all(c.peer.get(), "answer\n");
  ASSERT_TRUE(c.line());
  EXPECT_EQ(c.s.where(), phase::receiving_reply);
  c.s.settle();
  EXPECT_EQ(c.s.where(), phase::idle);
  finish(c.peer);
  const auto end = c.line();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().how, ending::completed);
  EXPECT_EQ(end.error().again, retry::pointless);
}

TEST(stream_fate, a_reset_in_an_idle_moment_is_no_completion) {
  conversation c;
  reset(c.peer);
  const auto end = c.line();
  ASSERT_FALSE(end);
  EXPECT_TRUE(end.error().could_be(ending::peer_reset));
  EXPECT_EQ(end.error().again, retry::safe) << "nothing was ever asked";
}

TEST(stream_fate, what_was_written_may_have_been_done) {
  for (const bool rst : {true, false}) {
    conversation c;
    ASSERT_TRUE(c.write("ask\n"));
    static_cast<void>(receive(c.peer.get(), 4));
    if (rst)
      reset(c.peer);
    else
      finish(c.peer);
    const auto reply = c.line();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().when, phase::awaiting_reply);
    EXPECT_EQ(reply.error().again, retry::unknown);
  }
}

TEST(stream_fate, what_the_kernel_did_not_take_may_be_asked_again) {
  conversation c;
  ASSERT_TRUE(c.write("ask\n"));
  send_all(c.peer.get(), "answer\n");
  static_cast<void>(receive(c.peer.get(), 4));
  ASSERT_TRUE(c.line());
  c.s.settle();
  reset(c.peer);
  const auto sent = c.write("the next one\n");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().again, retry::safe);
  EXPECT_EQ(sent.error().when, phase::sending);
  EXPECT_EQ(c.s.handed_over(), 4U);
}

TEST(stream_fate, every_write_to_a_reset_peer_gives_the_fate_of_the_first) {
  conversation c;
  ASSERT_TRUE(c.write("x"));
  reset(c.peer);
  for (int i = 0; i < 3; ++i) {
    const auto sent = c.write("y");
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().error, ECONNRESET) << to_string(sent.error());
  }
}

// The third situation: a FIN, a write that the peer answers with an RST, and another write
// (tcp_reset() in net/ipv4/tcp_input.c: EPIPE in CLOSE_WAIT).
TEST(stream_fate, a_write_after_fin_and_rst_is_a_broken_pipe_and_no_signal) {
  struct sigaction before{};
  ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &before), 0);
  ASSERT_EQ(before.sa_handler, SIG_DFL) << "else this test shows nothing";
  conversation c;
  c.peer.reset();
  EXPECT_TRUE(c.write("x")) << "a FIN alone is no reason not to write";
  const auto sent = c.write("y");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().error, EPIPE) << to_string(sent.error());
  EXPECT_EQ(sent.error().how, ending::broken_pipe);
  struct sigaction after{};
  ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &after), 0);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
}

TEST(stream_fate, a_peer_that_said_fin_can_be_answered) {
  conversation c;
  send_all(c.peer.get(), "ask\n");
  finish(c.peer);
  ASSERT_TRUE(c.line());
  EXPECT_EQ(c.line().error().how, ending::peer_closed);
  ASSERT_TRUE(c.write("answer\n"));
  EXPECT_EQ(receive(c.peer.get(), 7).bytes, "answer\n");
}

TEST(stream_fate, a_reply_that_came_before_the_reset_is_read_after_the_write_that_failed) {
  conversation c;
  ASSERT_TRUE(c.write("one\n"));
  send_all(c.peer.get(), "reply to one\n");
  reset(c.peer);
  ASSERT_FALSE(c.write("two\n"));
  EXPECT_EQ(c.line().value_or("lost"), "reply to one");
  const auto end = c.line();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().during, operation::write) << "the first fate";
}

TEST(stream_fate, bytes_that_were_malformed_are_not_asked_for_again) {
  conversation c;
  ASSERT_TRUE(c.write("ask\n"));
  const fate f = c.s.malformed("no number");
  EXPECT_EQ(f.how, ending::malformed);
  EXPECT_EQ(f.again, retry::pointless);
  EXPECT_EQ(f.detail, "no number");
  EXPECT_FALSE(f.or_else);
}

TEST(stream_fate, ended_tells_how_and_takes_no_byte_for_an_end) {
  conversation fin;
  finish(fin.peer);
  EXPECT_EQ(fin.play(fin.s.ended()).how, ending::completed);
  conversation rst;
  const std::jthread later([&] {
    std::this_thread::sleep_for(moment);
    reset(rst.peer);
  });
  EXPECT_TRUE(rst.play(rst.s.ended()).could_be(ending::peer_reset));
  conversation unasked;
  send_all(unasked.peer.get(), "hello");
  EXPECT_EQ(unasked.play(unasked.s.ended()).how, ending::malformed);
}

TEST(stream_fate, ended_by_now_sees_what_is_here_and_does_not_wait) {
  conversation c;
  EXPECT_FALSE(c.s.ended_by_now());
  ASSERT_TRUE(c.write("ask\n"));
  send_all(c.peer.get(), "answer\n");
  ASSERT_TRUE(c.line());
  c.s.settle();
  EXPECT_FALSE(c.s.ended_by_now());
  EXPECT_FALSE(c.s.ended_by_now());
  finish(c.peer);
  ASSERT_TRUE(c.s.ended_by_now());
  EXPECT_EQ(c.s.ended_by_now()->how, ending::completed);

  conversation unasked;
  send_all(unasked.peer.get(), "hello");
  EXPECT_EQ(unasked.s.ended_by_now().value().how, ending::malformed);
  EXPECT_EQ(unasked.s.ended_by_now().value().how, ending::malformed);
  conversation rst;
  reset(rst.peer);
  EXPECT_TRUE(rst.s.ended_by_now().value().could_be(ending::peer_reset));
}

TEST(stream_fate, a_look_that_found_nothing_does_not_hide_what_comes_then) {
  for (const bool rst : {true, false}) {
    conversation c;
    ASSERT_FALSE(c.s.ended_by_now());
    send_all(c.peer.get(), "late\n");
    if (rst) reset(c.peer);
    EXPECT_EQ(c.line().value_or("lost"), "late");
    if (rst) {
      EXPECT_TRUE(c.line().error().could_be(ending::peer_reset));
    }
  }
}

}  // namespace
}  // namespace halfopen::net
