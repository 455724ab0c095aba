#include "halfopen/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "net/test_answering.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

asio::awaitable<answer> ask_slowly(stream& s) {
  asio::steady_timer timer(s.get_executor(), 40ms);
  co_await timer.async_wait(asio::use_awaitable);
  co_return co_await ask(s);
}

asio::awaitable<answer> ask_twice(stream& s) {
  auto first = co_await ask(s);
  if (!first) co_return first;
  s.settle();  // from here on its own fates are of the second request
  static_cast<void>(co_await s.ended());
  co_return co_await ask(s);
}

asio::awaitable<answer> throws(stream&) {
  throw std::runtime_error("on purpose");
  co_return "";
}

TEST_F(calling, one_connection_serves_many_calls) {
  const answering_server server;
  client c = to(server);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call(c).value_or("?"), "answer");
  EXPECT_EQ(c.count().connected, 1U);
  EXPECT_EQ(c.count().idle, 1U);
  EXPECT_EQ(c.count().open, 1U);
  EXPECT_EQ(c.count().repeated, 0U);
}

TEST_F(calling, a_connection_that_ended_meanwhile_is_found_before_use) {
  const answering_server server("a");
  client c = to(server);
  ASSERT_TRUE(call(c));
  let_it_come();
  ASSERT_TRUE(call(c));
  EXPECT_EQ(server.asked, 2);
  EXPECT_EQ(c.count().stale, 1U);
  EXPECT_EQ(c.count().connected, 2U);
  EXPECT_EQ(c.count().repeated, 0U);
}

TEST_F(calling, one_idle_for_too_long_is_not_used) {
  const answering_server server;
  client c = to(server, {.idle_limit = 10ms});
  ASSERT_TRUE(call(c));
  let_it_come();
  ASSERT_TRUE(call(c));
  EXPECT_EQ(c.count().connected, 2U);
}

TEST_F(calling, what_may_have_been_done_is_asked_again_only_if_that_does_no_harm) {
  const answering_server careful("r");
  client c = to(careful);
  const answer once = call(c, repeat::if_safe);
  ASSERT_FALSE(once);
  EXPECT_EQ(once.error().again, retry::unknown);
  EXPECT_EQ(careful.asked, 1);

  const answering_server again("rr");
  client d = to(again);
  EXPECT_EQ(call(d, repeat::idempotent).value_or("?"), "answer");
  EXPECT_EQ(again.asked, 3);
  EXPECT_EQ(d.count().repeated, 2U);
}

TEST_F(calling, what_certainly_was_not_asked_is_asked_again) {
  const answering_server server("R");
  client c = to(server);
  const auto ask_when_it_is_reset = [&](stream& s) -> asio::awaitable<answer> {
    if (c.count().repeated == 0) static_cast<void>(co_await s.ended());
    co_return co_await ask(s);
  };
  EXPECT_EQ(play(context, c.call(ask_when_it_is_reset, ample, repeat::if_safe)).value_or("?"), "answer");
  EXPECT_EQ(server.asked, 1);
  EXPECT_EQ(c.count().repeated, 1U);
  // The reset may come before a slow machine has seen that it is connected.
  EXPECT_THAT(c.count().connected, testing::AnyOf(1U, 2U));
}

TEST_F(calling, an_exchange_of_two_requests_is_not_safe_when_the_first_was_answered) {
  const answering_server server("A");
  client c = to(server);
  const answer none = play(context, c.call(ask_twice, ample, repeat::if_safe));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().again, retry::unknown);
  EXPECT_EQ(server.asked, 1);
}

TEST_F(calling, a_fate_that_says_pointless_is_not_asked_again) {
  const answering_server server;
  client c = to(server);
  const auto too_short = [](stream& s) -> asio::awaitable<answer> {
    static_cast<void>(co_await s.write("ask\n", ample));
    auto reply = co_await s.read_line(2, ample);
    if (!reply) co_return std::unexpected(reply.error());
    co_return std::string(*reply);
  };
  const answer none = play(context, c.call(too_short, ample, repeat::idempotent));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::malformed);
  EXPECT_EQ(server.asked, 1);
  EXPECT_EQ(c.count().open, 0U) << "nor is the connection kept";
}

TEST_F(calling, what_is_over_is_not_asked_again_though_it_were_safe) {
  const auto f = [](ending how, retry again) {
    fate made;
    made.how = how;
    made.again = again;
    return made;
  };
  for (const fate& why : {f(ending::peer_reset, retry::pointless), f(ending::malformed, retry::safe),
                          f(ending::deadline_passed, retry::safe), f(ending::shut_down, retry::safe),
                          f(ending::local_failure, retry::safe)}) {
    const answering_server server;
    client c = to(server);
    int played = 0;
    const auto fails = [&](stream&) -> asio::awaitable<answer> {
      ++played;
      co_return std::unexpected(why);
    };
    EXPECT_FALSE(play(context, c.call(fails, ample, repeat::idempotent)));
    EXPECT_EQ(played, 1) << to_string(why.how);
  }
}

TEST_F(calling, a_connection_with_bytes_that_nobody_asked_for_is_not_kept) {
  const answering_server server;
  client c = to(server);
  const auto half = [](stream& s) -> asio::awaitable<answer> {
    static_cast<void>(co_await s.write("ask\n", ample));
    auto reply = co_await s.read_exactly(3, 3, ample);
    if (!reply) co_return std::unexpected(reply.error());
    co_return std::string(*reply);
  };
  EXPECT_EQ(play(context, c.call(half, ample)).value_or("?"), "ans");
  EXPECT_EQ(c.count().open, 0U);
}

TEST_F(calling, a_limit_that_has_passed_allows_no_call) {
  const answering_server server;
  client c = to(server);
  const answer none = call(c, repeat::idempotent, 0ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::deadline_passed);
  EXPECT_EQ(none.error().again, retry::safe);
  EXPECT_EQ(server.asked, 0);
  EXPECT_EQ(c.count().open, 0U);
}

TEST_F(calling, the_tries_are_counted) {
  const answering_server server("rrrrrrrr");
  client c = to(server, {.tries = 2});
  EXPECT_FALSE(call(c, repeat::idempotent));
  EXPECT_EQ(server.asked, 2);
}

TEST_F(calling, nobody_there_is_tried_again_after_a_pause) {
  const std::string port = answering_server().port();
  client c(context.get_executor(), "127.0.0.1", port, {.tries = 3, .pause = 20ms});
  const auto start = steady_clock::now();
  const answer none = call(c);
  EXPECT_GE(steady_clock::now() - start, 60ms) << "20 ms, then 40 ms";
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::refused);
  EXPECT_EQ(c.count().repeated, 2U);
  EXPECT_EQ(c.count().open, 0U);
}

TEST_F(calling, no_more_connections_than_the_most_and_all_get_their_turn) {
  const answering_server server;
  client c = to(server, {.most = 2});
  int now = 0;
  int most = 0;
  const auto counted = [&](stream& s) -> asio::awaitable<answer> {
    most = std::max(most, ++now);
    auto reply = co_await ask_slowly(s);
    --now;
    co_return reply;
  };
  int answered = 0;
  int ended = 0;
  for (int i = 0; i < 6; ++i)
    asio::co_spawn(context, c.call(counted, ample), [&](const std::exception_ptr& e, const answer& a) {
      answered += !e && a ? 1 : 0;
      ++ended;
    });
  while (ended < 6 && context.run_one_for(patience) > 0) {
  }
  EXPECT_EQ(answered, 6);
  EXPECT_EQ(most, 2);
  EXPECT_EQ(c.count().connected, 2U);
}

TEST_F(calling, who_waits_in_vain_gives_up_in_time) {
  const answering_server server;
  client c = to(server);
  asio::co_spawn(context, c.call(ask_slowly, ample), asio::detached);
  const answer none = call(c, repeat::if_safe, 5ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::deadline_passed);
  EXPECT_EQ(none.error().when, phase::connecting);
  EXPECT_TRUE(call(c)) << "the first has gone on";
  EXPECT_EQ(c.count().open, 1U);
}

asio::awaitable<answer> ask_and_block(stream& s) {
  auto reply = co_await ask(s);
  std::this_thread::sleep_for(moment);
  co_return reply;
}

// The place and the end of the patience come at the same time.
TEST_F(calling, a_place_given_to_one_who_goes_is_passed_on) {
  const answering_server server;
  client c = to(server);
  int ended = 0;
  bool answered = false;
  fate of_the_second;
  asio::co_spawn(context, c.call(ask_and_block, ample),
                 [&](const std::exception_ptr&, const answer&) { ++ended; });
  asio::co_spawn(context, c.call(ask, moment / 2), [&](const std::exception_ptr&, const answer& a) {
    ++ended;
    if (!a) of_the_second = a.error();
  });
  asio::co_spawn(context, c.call(ask, deadline::never()), [&](const std::exception_ptr&, const answer& a) {
    ++ended;
    answered = a.has_value();
  });
  while (ended < 3 && context.run_one_for(patience) > 0) {
  }
  EXPECT_EQ(of_the_second.how, ending::deadline_passed);
  EXPECT_TRUE(answered);
}

asio::awaitable<int> call_often(client& c, int calls) {
  int answered = 0;
  for (int i = 0; i < calls; ++i) answered += co_await c.call(ask, ample) ? 1 : 0;
  co_return answered;
}

TEST_F(calling, one_that_calls_all_the_time_leaves_the_others_their_turn) {
  const answering_server server;
  client c = to(server);
  std::vector<int> ended;
  const auto call_from = [&](int who, int calls) {
    asio::co_spawn(context, call_often(c, calls), [&ended, who](const std::exception_ptr&, int answered) {
      ended.push_back(answered > 0 ? who : -who);
    });
  };
  call_from(1, 50);
  call_from(2, 1);
  while (ended.size() < 2 && context.run_one_for(patience) > 0) {
  }
  EXPECT_THAT(ended, testing::ElementsAre(2, 1));
}

TEST_F(calling, who_is_cancelled_while_waiting_for_a_place_is_told_so) {
  const answering_server server;
  client c = to(server);
  asio::co_spawn(context, c.call(ask_slowly, ample), asio::detached);
  const answer none = play_and_cancel(context, c.call(ask, deadline::never()), 10ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::shut_down);
  EXPECT_EQ(none.error().again, retry::safe);
  EXPECT_TRUE(call(c)) << "the first has gone on";
}

TEST_F(calling, who_is_cancelled_in_the_pause_is_told_so) {
  const std::string port = answering_server().port();
  client c(context.get_executor(), "127.0.0.1", port, {.tries = 3, .pause = 1h});
  const answer none = play_and_cancel(context, c.call(ask, deadline::never()), 10ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::shut_down);
}

TEST_F(calling, an_exchange_that_is_cancelled_is_not_played_again) {
  const unique_fd silent = listen_here();
  client c(context.get_executor(), "127.0.0.1", std::to_string(name_of(silent.get()).port()), {.tries = 3});
  const answer none = play_and_cancel(context, c.call(ask, deadline::never(), repeat::idempotent), 200ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::shut_down);
  EXPECT_EQ(none.error().when, phase::awaiting_reply);
  EXPECT_EQ(c.count().connected, 1U);
}

// The reset comes first, and the cancellation before the call goes on.
TEST_F(calling, one_cancelled_between_two_tries_ends_with_the_fate_of_the_first) {
  const answering_server server("r");
  client c = to(server);
  asio::cancellation_signal stop;
  const auto ask_and_stop = [&](stream& s) -> asio::awaitable<answer> {
    auto reply = co_await ask(s);
    stop.emit(asio::cancellation_type::terminal);
    co_return reply;
  };
  const answer none = play(context, c.call(ask_and_stop, ample, repeat::idempotent), stop.slot());
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().could_be(ending::peer_reset));
  EXPECT_EQ(server.asked, 1);
}

TEST_F(calling, who_is_cancelled_while_waiting_leaves_the_line) {
  using namespace asio::experimental::awaitable_operators;
  const answering_server server;
  client c = to(server);
  bool first_answered = false;
  asio::co_spawn(context, c.call(ask_slowly, ample),
                 [&](const std::exception_ptr&, const answer& a) { first_answered = a.has_value(); });
  asio::steady_timer timer(context, 10ms);
  const auto first = play(context, c.call(ask, deadline::never()) || timer.async_wait(asio::use_awaitable));
  EXPECT_EQ(first.index(), 1U);
  EXPECT_TRUE(call(c));
  EXPECT_TRUE(first_answered);
  EXPECT_EQ(c.count().open, 1U);
}

TEST_F(calling, an_exchange_that_throws_gives_its_place_back) {
  const answering_server server;
  client c = to(server);
  EXPECT_THROW(static_cast<void>(play(context, c.call(throws, ample))), std::runtime_error);
  EXPECT_TRUE(call(c));
  EXPECT_EQ(c.count().open, 1U);
}

TEST_F(calling, close_lets_the_io_context_end) {
  const answering_server server;
  client c = to(server);
  ASSERT_TRUE(call(c));
  let_it_come();
  EXPECT_FALSE(context.stopped());
  c.close();
  context.restart();
  context.run_for(patience);
  EXPECT_TRUE(context.stopped());
  EXPECT_EQ(c.count().open, 0U);
}

TEST_F(calling, close_during_a_call_does_not_disturb_it) {
  const answering_server server;
  client c = to(server);
  asio::steady_timer timer(context, 10ms);
  timer.async_wait([&](asio::error_code) { c.close(); });
  EXPECT_EQ(play(context, c.call(ask_slowly, ample)).value_or("?"), "answer");
  EXPECT_EQ(c.count().open, 0U);
}

}  // namespace
}  // namespace halfopen::net
