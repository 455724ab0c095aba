#include "net/deadline_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <random>

#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using std::chrono::milliseconds;
using time_point = deadline_heap::time_point;
using namespace std::chrono_literals;
using testing::ElementsAre;

struct alarm final : timed {
  explicit alarm(const milliseconds& clock) : now(clock) {}
  const milliseconds& now;
  std::vector<milliseconds> rang;

 private:
  void expired() noexcept override { rang.push_back(now); }
};

/// With a clock that is set by hand.
struct deadlines : testing::Test {
  deadline_heap heap;
  milliseconds now{1000};

  void arm(alarm& a, milliseconds at) { heap.arm(a, time_point(at)); }
  void ring_at(milliseconds time) {
    now = time;
    heap.ring(time_point(now));
  }
  /// As a timer that is never late.
  void run_until(milliseconds end) {
    while (heap.next() <= time_point(end))
      ring_at(std::max(now, std::chrono::floor<milliseconds>(heap.next().time_since_epoch())));
    now = end;
  }
};

TEST_F(deadlines, one_that_is_reached_rings_once_and_in_time) {
  alarm a(now);
  arm(a, 1030ms);
  run_until(1029ms);
  EXPECT_THAT(a.rang, ElementsAre());
  run_until(1100ms);
  EXPECT_THAT(a.rang, ElementsAre(1030ms));
  EXPECT_EQ(heap.next(), time_point::max());
}

TEST_F(deadlines, all_that_were_reached_ring_if_the_timer_is_late) {
  alarm a(now);
  alarm b(now);
  alarm c(now);
  arm(c, 1501ms);
  arm(b, 1020ms);
  arm(a, 1010ms);
  arm(a, 1400ms);
  ring_at(1500ms);
  EXPECT_THAT(a.rang, ElementsAre(1500ms));
  EXPECT_THAT(b.rang, ElementsAre(1500ms));
  EXPECT_THAT(c.rang, ElementsAre());
  heap.remove(c);
}

TEST_F(deadlines, arming_again_later_moves_it) {
  alarm a(now);
  arm(a, 1020ms);
  run_until(1010ms);
  arm(a, 1060ms);
  run_until(1150ms);
  EXPECT_THAT(a.rang, ElementsAre(1060ms));
}

TEST_F(deadlines, arming_again_earlier_moves_it) {
  alarm a(now);
  arm(a, 1400ms);
  run_until(1005ms);
  arm(a, 1030ms);
  run_until(1500ms);
  EXPECT_THAT(a.rang, ElementsAre(1030ms));
}

TEST_F(deadlines, a_disarmed_one_is_silent_and_may_be_armed_again) {
  alarm a(now);
  arm(a, 1020ms);
  heap.disarm(a);
  run_until(1040ms);
  EXPECT_THAT(a.rang, ElementsAre());
  arm(a, 1060ms);
  run_until(1120ms);
  EXPECT_THAT(a.rang, ElementsAre(1060ms));
}

TEST_F(deadlines, disarmed_and_armed_again_earlier_before_its_old_time) {
  alarm a(now);
  arm(a, 1400ms);
  heap.disarm(a);
  arm(a, 1020ms);
  run_until(1500ms);
  EXPECT_THAT(a.rang, ElementsAre(1020ms));
}

TEST_F(deadlines, one_in_the_past_rings_at_once) {
  alarm a(now);
  arm(a, 1ms);
  run_until(1000ms);
  EXPECT_THAT(a.rang, ElementsAre(1000ms));
}

TEST_F(deadlines, a_removed_one_may_be_destroyed) {
  alarm stays(now);
  {
    alarm goes(now);
    arm(goes, 1010ms);
    arm(stays, 1020ms);
    heap.remove(goes);
  }
  run_until(1060ms);
  EXPECT_THAT(stays.rang, ElementsAre(1020ms));
}

// All operations at random, while time goes on, against a list of what should ring.
TEST_F(deadlines, of_thousands_each_rings_in_time_and_only_those_that_should) {
  std::mt19937 random(7);
  std::deque<alarm> alarms;
  for (int i = 0; i < 3000; ++i) alarms.emplace_back(now);
  std::vector<milliseconds> wanted(alarms.size());  // 0: not to ring
  std::vector<std::vector<milliseconds>> should(alarms.size());
  for (int i = 0; i < 30000; ++i) {
    const std::size_t which = random() % alarms.size();
    wanted[which] = 0ms;
    switch (random() % 4) {
      case 0:
        heap.remove(alarms[which]);
        break;
      case 1:
        heap.disarm(alarms[which]);
        break;
      default:
        wanted[which] = now + milliseconds(1 + random() % 300);
        arm(alarms[which], wanted[which]);
    }
    if (i % 40 != 0) continue;
    run_until(now + 1ms);
    for (std::size_t w = 0; w < wanted.size(); ++w)
      if (wanted[w] == now) should[w].push_back(std::exchange(wanted[w], 0ms));
  }
  for (std::size_t w = 0; w < wanted.size(); ++w)
    if (wanted[w] > 0ms) should[w].push_back(wanted[w]);
  run_until(now + 500ms);
  for (std::size_t i = 0; i < alarms.size(); ++i) ASSERT_EQ(alarms[i].rang, should[i]) << i;
}

/// With the real clock and one timer. What must not be waited for is hours away.
struct deadline_queues : testing::Test {
  asio::io_context context{1};
  deadline_queue& queue = deadline_queue::of(context);
  const time_point start = deadline::clock::now();
  const milliseconds nobody_looks{};
  alarm early{nobody_looks};
  alarm late{nobody_looks};

  bool runs_out_of_work() {
    context.restart();
    context.run_for(test::patience);
    return context.stopped();
  }
};

TEST_F(deadline_queues, never_ring_too_early_and_run_returns_when_the_last_has_rung) {
  queue.arm(late, start + 20ms);
  queue.arm(early, start + 10ms);
  EXPECT_TRUE(runs_out_of_work());
  EXPECT_GE(deadline::clock::now(), start + 20ms);
  EXPECT_EQ(early.rang.size() + late.rang.size(), 2U);
}

TEST_F(deadline_queues, an_earlier_one_does_not_wait_for_a_later_that_was_first) {
  queue.arm(late, start + 1h);
  context.poll();
  queue.arm(early, start + 10ms);
  context.restart();
  context.run_one_for(test::patience);  // the wait for the later one, cancelled
  context.run_one_for(test::patience);
  EXPECT_EQ(early.rang.size(), 1U);
  EXPECT_TRUE(late.rang.empty());
  queue.remove(late);
  EXPECT_TRUE(runs_out_of_work()) << "a timer that waits for nobody";
}

TEST_F(deadline_queues, one_that_is_moved_on_rings_at_its_new_time) {
  queue.arm(early, start + 10ms);
  queue.arm(early, start + 30ms);
  EXPECT_TRUE(runs_out_of_work());
  EXPECT_GE(deadline::clock::now(), start + 30ms);
  EXPECT_EQ(early.rang.size(), 1U);
}

TEST_F(deadline_queues, never_and_what_was_removed_are_no_work) {
  queue.arm(early, deadline::never().at());
  EXPECT_TRUE(runs_out_of_work());
  queue.arm(early, start + 1h);
  queue.arm(late, start + 2h);
  queue.remove(early);
  queue.remove(early);
  queue.remove(late);
  EXPECT_TRUE(runs_out_of_work());
  EXPECT_TRUE(early.rang.empty() && late.rang.empty());
}

}  // namespace
}  // namespace halfopen::net
