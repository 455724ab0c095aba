#include "net/channel.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct channels : testing::Test {
  asio::io_context context{1};
  ends both = connection();
  channel here{context.get_executor(), make_nonblocking(std::move(both.here))};
  unique_fd& there = both.there;

  static unique_fd make_nonblocking(unique_fd fd) {
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    return fd;
  }
  wake wait(direction d, deadline limit = ample) { return play(context, here.wait(d, limit)); }
  void poll_events() {
    context.restart();
    context.poll();
  }
};

TEST_F(channels, a_wait_ends_when_bytes_come) {
  const auto start = steady_clock::now();
  const std::jthread sender([&] {
    std::this_thread::sleep_for(moment);
    send_all(there.get(), "x");
  });
  EXPECT_EQ(wait(direction::reading), wake::ready);
  EXPECT_GE(steady_clock::now() - start, moment);
}

TEST_F(channels, an_edge_that_comes_while_nobody_waits_is_kept) {
  send_all(there.get(), "x");
  poll_events();
  EXPECT_TRUE(here.take_ready(direction::reading));
  EXPECT_FALSE(here.take_ready(direction::reading)) << "it was taken";
  send_all(there.get(), "y");
  poll_events();
  EXPECT_EQ(wait(direction::reading), wake::ready);
  EXPECT_EQ(wait(direction::reading, 20ms), wake::timed_out) << "it was taken";
}

TEST_F(channels, edges_after_an_edge_are_seen_each) {
  for (int i = 0; i < 100; ++i) {
    send_all(there.get(), "x");
    ASSERT_EQ(wait(direction::reading), wake::ready) << i;
    poll_events();
    ASSERT_FALSE(here.take_ready(direction::reading)) << i;
  }
}

TEST_F(channels, one_that_is_told_to_be_ready_is_so_once) {
  here.be_ready(direction::reading);
  EXPECT_EQ(wait(direction::reading), wake::ready);
  EXPECT_EQ(wait(direction::reading, 20ms), wake::timed_out);
}

TEST_F(channels, one_that_can_be_written_says_so_at_once) {
  EXPECT_EQ(wait(direction::writing), wake::ready);
}

TEST_F(channels, a_wait_ends_at_its_deadline_and_the_next_one_is_a_new_one) {
  const auto start = steady_clock::now();
  EXPECT_EQ(wait(direction::reading, 40ms), wake::timed_out);
  EXPECT_GE(steady_clock::now() - start, 40ms);
  EXPECT_EQ(wait(direction::reading, 0ms), wake::timed_out);
  send_all(there.get(), "x");
  EXPECT_EQ(wait(direction::reading), wake::ready);
}

TEST_F(channels, cancel_ends_a_wait_and_only_in_that_direction) {
  here.cancel(direction::reading);
  here.cancel(direction::writing);
  asio::steady_timer later(context, 30ms);
  later.async_wait([&](asio::error_code) {
    here.cancel(direction::writing);
    here.cancel(direction::reading);
  });
  EXPECT_EQ(wait(direction::reading), wake::cancelled);
  here.cancel(direction::reading);
  EXPECT_EQ(wait(direction::reading, 10ms), wake::timed_out) << "no cancellation is kept";
}

asio::awaitable<bool> second_wait_throws(channel& c) {
  bool threw = false;
  try {
    co_await c.wait(direction::reading, ample);
  } catch (const std::logic_error&) {
    threw = true;
  }
  asio::steady_timer goes_on(c.executor(), 1ms);
  co_await goes_on.async_wait(asio::use_awaitable);
  co_return threw;
}

TEST_F(channels, two_waits_in_one_direction_are_a_programming_error_and_the_first_goes_on) {
  std::optional<wake> first;
  asio::co_spawn(context, here.wait(direction::reading, deadline::never()),
                 [&](const std::exception_ptr&, wake why) { first = why; });
  poll_events();
  EXPECT_TRUE(play(context, second_wait_throws(here)));
  EXPECT_FALSE(first);
  send_all(there.get(), "x");
  context.restart();
  while (!first && context.run_one_for(patience) > 0) {
  }
  EXPECT_EQ(first, wake::ready);
}

TEST_F(channels, what_cannot_be_watched_is_refused) {
  EXPECT_THROW(channel(context.get_executor(), unique_fd()), std::system_error);
}

TEST_F(channels, asio_cancellation_ends_a_wait) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(context, 20ms);
  const auto first = play(
      context, here.wait(direction::reading, deadline::never()) || timer.async_wait(asio::use_awaitable));
  EXPECT_EQ(first.index(), 1U);
  send_all(there.get(), "x");
  EXPECT_EQ(wait(direction::reading), wake::ready) << "the channel is as good as before";
}

struct says_when_gone {
  bool& gone;
  ~says_when_gone() { gone = true; }
};

asio::awaitable<void> wait_for_ever(asio::any_io_executor executor, unique_fd fd, bool& gone) {
  const says_when_gone s{gone};
  channel own(executor, std::move(fd));
  co_await own.wait(direction::writing, 1h);
  co_await own.wait(direction::reading, 1h);
}

TEST(channel, a_wait_under_way_goes_with_its_io_context) {
  for (const bool events_waiting : {false, true}) {
    bool gone = false;
    const std::size_t open = open_descriptors();
    ends both = connection();
    {
      asio::io_context context{1};
      asio::co_spawn(context, wait_for_ever(context.get_executor(), std::move(both.here), gone),
                     asio::detached);
      context.run_for(20ms);
      if (events_waiting) send_all(both.there.get(), "x");
      EXPECT_FALSE(gone);
    }
    EXPECT_TRUE(gone);
    both.there.reset();
    EXPECT_EQ(open_descriptors(), open);
  }
}

TEST(channel, an_io_context_has_nothing_to_do_once_its_channels_are_gone) {
  asio::io_context context{1};
  {
    ends both = connection();
    channel c(context.get_executor(), std::move(both.here));
    EXPECT_EQ(play(context, c.wait(direction::writing, ample)), wake::ready);
    context.restart();
    context.run_for(20ms);
    EXPECT_FALSE(context.stopped()) << "an open channel is work";
  }
  context.restart();
  context.run_for(patience);
  EXPECT_TRUE(context.stopped());
}

// A token goes round: each waits for a byte, reads it, and writes one.
asio::awaitable<void> pass_on(channel& c, int rounds, int& done, int& lost) {
  char byte = 'x';
  for (int i = 0; i < rounds; ++i) {
    while (::recv(c.fd(), &byte, 1, MSG_DONTWAIT) != 1) {
      const wake why = co_await c.wait(direction::reading, ample);
      if (why != wake::ready) ++lost;
      if (why != wake::ready) co_return;
    }
    ::send(c.fd(), &byte, 1, MSG_NOSIGNAL);
  }
  ++done;
}

TEST(channel, no_edge_is_lost_when_many_wait) {
  constexpr int pairs = 8;
  constexpr int rounds = 300;
  asio::io_context context{1};
  std::vector<std::unique_ptr<channel>> all;
  int done = 0;
  int lost = 0;
  for (int i = 0; i < pairs; ++i) {
    ends both = connection();
    for (unique_fd* fd : {&both.here, &both.there}) {
      all.push_back(std::make_unique<channel>(context.get_executor(), std::move(*fd)));
      asio::co_spawn(context, pass_on(*all.back(), rounds, done, lost), [&](const std::exception_ptr&) {
        if (done + lost == 2 * pairs) context.stop();
      });
    }
    ::send(all.back()->fd(), "x", 1, MSG_NOSIGNAL);
  }
  context.run_for(patience);
  EXPECT_EQ(done, 2 * pairs);
  EXPECT_EQ(lost, 0);
  all.clear();
}

// The same with several threads, a strand for each channel, and deadlines that are set and taken back.
TEST(channel, strands_keep_waits_apart_whatever_thread_runs_them) {
  constexpr int pairs = 8;
  constexpr int rounds = 100;
  asio::io_context context;
  std::vector<std::unique_ptr<channel>> all;
  std::atomic<int> over{0};
  std::array<int, 2 * pairs> done{}, lost{};
  for (std::size_t i = 0; i < pairs; ++i) {
    ends both = connection();
    std::size_t which = 2 * i;
    for (unique_fd* fd : {&both.here, &both.there}) {
      all.push_back(std::make_unique<channel>(asio::make_strand(context), std::move(*fd)));
      asio::co_spawn(all.back()->executor(), pass_on(*all.back(), rounds, done[which], lost[which]),
                     [&](const std::exception_ptr&) {
                       if (++over == 2 * pairs) context.stop();
                     });
      ++which;
    }
    ::send(all.back()->fd(), "x", 1, MSG_NOSIGNAL);
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { context.run_for(patience); });
  }
  EXPECT_EQ(std::ranges::count(done, 1), 2 * pairs);
  EXPECT_EQ(std::ranges::count(lost, 0), 2 * pairs);
  all.clear();
}

TEST(channel, a_deadline_on_a_strand_ends_a_wait_while_other_threads_run) {
  asio::io_context context;
  ends both = connection();
  std::optional<wake> why;
  {
    channel c(asio::make_strand(context), std::move(both.here));
    asio::co_spawn(c.executor(), c.wait(direction::reading, 20ms), [&](const std::exception_ptr&, wake w) {
      why = w;
      context.stop();
    });
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { context.run_for(patience); });
  }
  EXPECT_EQ(why, wake::timed_out);
}

}  // namespace
}  // namespace halfopen::net
