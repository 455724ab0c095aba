// The client's ways to try again, its greeting, and what it counts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "net/test_answering.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;

using greeted = std::expected<void, fate>;

// What an exchange may be.
struct nothing_of_the_kind {};
using of_stream = asio::awaitable<answer> (*)(stream&);
using of_both = asio::awaitable<answer> (*)(stream&, deadline);
using of_nothing = asio::awaitable<answer> (*)();
using without_fate = asio::awaitable<std::string> (*)(stream&);
using no_coroutine = answer (*)(stream&);
static_assert(client_exchange<of_stream> && client_exchange<of_both>);
static_assert(!client_exchange<nothing_of_the_kind> && !client_exchange<of_nothing>);
static_assert(!client_exchange<without_fate> && !client_exchange<no_coroutine>);
static_assert(std::is_same_v<exchange_outcome<of_both>, asio::awaitable<answer>>);

asio::awaitable<greeted> greet(stream& s) {
  const auto said = co_await ask(s);
  if (!said) co_return std::unexpected(said.error());
  co_return greeted{};
}

/// Nothing listens there.
std::string free_port() {
  return answering_server().port();
}

TEST_F(calling, an_exchange_that_takes_a_limit_gets_that_of_the_call) {
  const answering_server server;
  client c = to(server);
  const deadline whole = ample;
  const auto exchange = [&](stream& s, deadline limit) -> asio::awaitable<answer> {
    EXPECT_EQ(limit, whole);
    return ask(s);
  };
  EXPECT_EQ(play(context, c.call(exchange, whole)).value_or("?"), "answer");
}

TEST_F(calling, a_new_connection_is_greeted_and_one_of_the_pool_is_not) {
  const answering_server server;
  const deadline whole = ample;
  int times = 0;
  client c = to(server, {.greet = [&](stream& s, deadline limit) {
                  EXPECT_EQ(limit, whole);
                  ++times;
                  return greet(s);
                }});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call(c, repeat::if_safe, whole).value_or("?"), "answer");
  EXPECT_EQ(times, 1);
  EXPECT_EQ(server.asked, 4);
}

TEST_F(calling, a_greeting_that_fails_is_the_calls_fate_and_safe) {
  const answering_server server("rr");
  const auto with = [](unsigned tries) {
    return client_options{.tries = tries, .greet = [](stream& s, deadline) { return greet(s); }};
  };
  client once = to(server, with(1));
  const answer none = call(once);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().could_be(ending::peer_reset));
  EXPECT_EQ(none.error().when, phase::connecting);
  EXPECT_EQ(none.error().again, retry::safe);
  EXPECT_EQ(once.count().open, 0U);

  client again = to(server, with(3));
  EXPECT_EQ(call(again, repeat::if_safe).value_or("?"), "answer");
  EXPECT_EQ(again.count().repeated, 1U);
  EXPECT_EQ(server.asked, 4) << "two greetings in vain, one that was answered, and the request";
}

TEST_F(calling, the_bytes_of_a_greeting_are_none_of_the_request) {
  const answering_server server("A");
  client c = to(server, {.greet = [](stream& s, deadline) { return greet(s); }});
  const auto ask_when_it_is_reset = [&](stream& s) -> asio::awaitable<answer> {
    if (c.count().repeated == 0) static_cast<void>(co_await s.ended());
    co_return co_await ask(s);
  };
  EXPECT_EQ(play(context, c.call(ask_when_it_is_reset, ample, repeat::if_safe)).value_or("?"), "answer");
  EXPECT_EQ(c.count().repeated, 1U);
  EXPECT_EQ(server.asked, 3);
}

TEST_F(calling, the_end_of_a_greeted_connection_before_the_request_is_safe) {
  const answering_server server("a");
  client c = to(server, {.tries = 1, .greet = [](stream& s, deadline) { return greet(s); }});
  const auto wait = [](stream& s) -> asio::awaitable<answer> {
    co_return std::unexpected(co_await s.ended());
  };
  const answer none = play(context, c.call(wait, ample));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::completed);
  EXPECT_EQ(none.error().again, retry::safe);
}

TEST_F(calling, a_greeting_that_was_refused_or_left_something_unread_is_not_played_again) {
  const answering_server server;
  const auto refused = [](stream& s, deadline) -> asio::awaitable<greeted> {
    co_return std::unexpected(s.malformed("wrong password"));
  };
  const auto half = [](stream& s, deadline) -> asio::awaitable<greeted> {
    static_cast<void>(co_await s.write("ask\n", ample));
    static_cast<void>(co_await s.read_exactly(3, 3, ample));
    co_return greeted{};
  };
  const auto closes = [](stream& s, deadline) -> asio::awaitable<greeted> {
    co_await s.close(0ms);
    co_return greeted{};
  };
  for (const decltype(client_options::greet)& how :
       {decltype(client_options::greet)(refused), decltype(client_options::greet)(half),
        decltype(client_options::greet)(closes)}) {
    client c = to(server, {.greet = how});
    const answer none = call(c, repeat::idempotent);
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().how, testing::AnyOf(ending::malformed, ending::local_failure));
    EXPECT_EQ(none.error().when, phase::connecting);
    EXPECT_EQ(c.count().connected, 1U);
    EXPECT_EQ(c.count().open, 0U);
  }
}

TEST_F(calling, until_the_limit_the_tries_are_not_counted) {
  const answering_server server("rrrrrrrr");
  client c = to(server, {.tries = 1, .pause = 1ms, .retrying = {.until_limit = true}});
  EXPECT_EQ(call(c, repeat::idempotent).value_or("?"), "answer");
  EXPECT_EQ(server.asked, 9);
  EXPECT_EQ(c.count().repeated, 8U);
}

TEST_F(calling, the_limit_is_the_end_of_it) {
  client c(context.get_executor(), "127.0.0.1", free_port(),
           {.pause = 1ms, .retrying = {.until_limit = true, .most_pause = 5ms}});
  const deadline limit = 100ms;
  const answer none = call(c, repeat::if_safe, limit);
  ASSERT_FALSE(none);
  EXPECT_TRUE(limit.passed());
  EXPECT_THAT(none.error().how, testing::AnyOf(ending::refused, ending::deadline_passed));
  EXPECT_EQ(none.error().again, retry::safe);
  EXPECT_EQ(c.count().open, 0U);
}

TEST_F(calling, a_budget_that_is_half_used_up_allows_first_tries_only) {
  const answering_server server("rrrrrrrr");
  client c = to(server, {.tries = 10, .retrying = {.tokens = 4}});
  EXPECT_FALSE(call(c, repeat::idempotent));
  EXPECT_EQ(server.asked, 2) << "four tokens, three, two: half";
  EXPECT_FALSE(call(c, repeat::idempotent));
  EXPECT_EQ(server.asked, 3);
  EXPECT_EQ(c.count().throttled, 2U);
  EXPECT_EQ(c.count().repeated, 1U);
}

TEST_F(calling, with_the_circuit_open_nobody_is_tried) {
  client c(context.get_executor(), "127.0.0.1", free_port(),
           {.tries = 1, .retrying = {.break_after = 2, .probe_after = 1h}});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(call(c).error().how, ending::refused);
  for (int i = 0; i < 2; ++i) {
    const answer none = call(c);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().how, ending::local_failure);
    EXPECT_EQ(none.error().detail, circuit_is_open);
    EXPECT_EQ(none.error().again, retry::safe);
  }
  const client::counts now = c.count();
  EXPECT_EQ(now.not_tried, 2U);
  EXPECT_EQ(now.open, 0U);
  EXPECT_EQ(now.tries_failed.of(ending::refused, phase::connecting), 2U);
  EXPECT_EQ(now.tries_failed.total(), 2U);
}

TEST_F(calling, a_call_does_not_go_on_when_its_own_failures_have_opened_the_circuit) {
  const answering_server server("rrrr");
  client c = to(server, {.tries = 10, .retrying = {.break_after = 2, .probe_after = 1h}});
  const answer none = call(c, repeat::idempotent);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().could_be(ending::peer_reset)) << "its own fate, and not the circuit's";
  EXPECT_EQ(server.asked, 2);
}

TEST_F(calling, a_probe_that_is_answered_closes_the_circuit) {
  const answering_server server("rr");
  client c = to(server, {.tries = 1, .retrying = {.break_after = 2, .probe_after = 0ms}});
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(call(c));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(call(c));
  EXPECT_EQ(c.count().not_tried, 0U);
}

TEST_F(calling, a_probe_that_is_cancelled_leaves_the_next_its_turn) {
  const unique_fd silent = listen_here();
  client c(context.get_executor(), "127.0.0.1", std::to_string(name_of(silent.get()).port()),
           {.tries = 1, .retrying = {.break_after = 1, .probe_after = 0ms}});
  EXPECT_EQ(play(context, c.call(
                              [](stream& s) -> asio::awaitable<answer> {
                                auto late = co_await s.read_line(10, 0ms);
                                co_return std::unexpected(late.error());
                              },
                              ample))
                .error()
                .how,
            ending::deadline_passed);
  EXPECT_EQ(play_and_cancel(context, c.call(ask, deadline::never()), 10ms).error().how, ending::shut_down);
  EXPECT_EQ(play_and_cancel(context, c.call(ask, deadline::never()), 10ms).error().how, ending::shut_down);
  EXPECT_EQ(c.count().not_tried, 0U);
}

TEST_F(calling, calls_and_tries_are_counted_by_ending_and_phase) {
  const answering_server server("rr");
  client c = to(server, {.tries = 2});
  EXPECT_FALSE(call(c, repeat::idempotent));
  EXPECT_TRUE(call(c, repeat::idempotent));
  const client::counts now = c.count();
  EXPECT_EQ(now.calls, 2U);
  EXPECT_EQ(now.answered, 1U);
  EXPECT_EQ(now.calls_failed.total(), 1U);
  EXPECT_EQ(now.tries_failed.total(), 2U);
  EXPECT_EQ(now.tries_failed.of(ending::peer_reset),
            now.tries_failed.of(ending::peer_reset, phase::awaiting_reply));
}

}  // namespace
}  // namespace halfopen::net
