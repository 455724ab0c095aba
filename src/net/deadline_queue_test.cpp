#include "net/deadline_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <random>

#include "fate/emulation.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

struct alarm final : timed {
  std::vector<steady_clock::time_point> rang;

 private:
  void expired() noexcept override { rang.push_back(steady_clock::now()); }
};

struct deadlines : testing::Test {
  asio::io_context context{1};
  deadline_queue& queue = deadline_queue::of(context);
  const steady_clock::time_point start = steady_clock::now();

  void arm(alarm& a, milliseconds after) { queue.arm(a, start + after); }
  void run_until(milliseconds after) {
    context.restart();
    context.run_until(start + after);
  }
  static void is_about(steady_clock::time_point is, steady_clock::time_point should) {
    EXPECT_GE(is, should) << "never too early";
    EXPECT_LT(is, should + 30ms);
  }
};

TEST_F(deadlines, one_that_is_reached_rings_once_and_in_time) {
  alarm a;
  arm(a, 30ms);
  run_until(100ms);
  ASSERT_EQ(a.rang.size(), 1U);
  is_about(a.rang[0], start + 30ms);
}

TEST_F(deadlines, run_returns_when_the_last_has_rung) {
  alarm a;
  arm(a, 10ms);
  context.run_for(test::patience);
  EXPECT_TRUE(context.stopped());
  EXPECT_LT(steady_clock::now(), start + 500ms);
}

TEST_F(deadlines, arming_again_later_moves_it) {
  alarm a;
  arm(a, 20ms);
  run_until(10ms);
  arm(a, 60ms);
  run_until(45ms);
  EXPECT_TRUE(a.rang.empty());
  run_until(150ms);
  ASSERT_EQ(a.rang.size(), 1U);
  is_about(a.rang[0], start + 60ms);
}

TEST_F(deadlines, arming_again_earlier_moves_it) {
  alarm a;
  arm(a, 400ms);
  run_until(5ms);
  arm(a, 30ms);
  run_until(100ms);
  ASSERT_EQ(a.rang.size(), 1U);
  is_about(a.rang[0], start + 30ms);
}

TEST_F(deadlines, an_earlier_one_of_another_does_not_wait_for_the_first) {
  alarm late;
  alarm early;
  arm(late, 300ms);
  run_until(5ms);
  arm(early, 30ms);
  run_until(100ms);
  ASSERT_EQ(early.rang.size(), 1U);
  is_about(early.rang[0], start + 30ms);
  EXPECT_TRUE(late.rang.empty());
  queue.remove(late);
}

TEST_F(deadlines, a_disarmed_one_is_silent_and_may_be_armed_again) {
  alarm a;
  arm(a, 20ms);
  queue.disarm(a);
  run_until(40ms);
  EXPECT_TRUE(a.rang.empty());
  arm(a, 60ms);
  run_until(120ms);
  EXPECT_EQ(a.rang.size(), 1U);
}

TEST_F(deadlines, disarmed_and_armed_again_earlier_before_its_old_time) {
  alarm a;
  arm(a, 400ms);
  queue.disarm(a);
  arm(a, 20ms);
  run_until(80ms);
  ASSERT_EQ(a.rang.size(), 1U);
  is_about(a.rang[0], start + 20ms);
  run_until(100ms);
  EXPECT_EQ(a.rang.size(), 1U);
}

TEST_F(deadlines, never_is_no_work) {
  alarm a;
  queue.arm(a, deadline::never().at());
  EXPECT_EQ(context.run_for(test::patience), 0U);
  EXPECT_LT(steady_clock::now(), start + 500ms);
}

TEST_F(deadlines, one_in_the_past_rings_at_once) {
  alarm a;
  arm(a, -1000ms);
  run_until(50ms);
  EXPECT_EQ(a.rang.size(), 1U);
}

TEST_F(deadlines, removing_the_last_ends_the_work) {
  alarm a;
  alarm b;
  arm(a, 3000ms);
  arm(b, 3500ms);
  queue.remove(a);
  queue.remove(a);
  queue.remove(b);
  context.run_for(test::patience);
  EXPECT_LT(steady_clock::now(), start + 500ms);
  EXPECT_TRUE(a.rang.empty() && b.rang.empty());
}

TEST_F(deadlines, a_removed_one_may_be_destroyed) {
  alarm stays;
  {
    alarm goes;
    arm(goes, 10ms);
    arm(stays, 20ms);
    queue.remove(goes);
  }
  run_until(60ms);
  EXPECT_EQ(stays.rang.size(), 1U);
}

// All operations at random, against a list of what should ring.
TEST_F(deadlines, of_thousands_each_rings_in_time_and_only_those_that_should) {
  std::mt19937 random(7);
  std::deque<alarm> alarms(3000);
  std::vector<int> wanted(alarms.size(), -1);                // ms
  const int changes = emulation::by.empty() ? 30000 : 5000;  // in the 200 ms before the first may ring
  for (int i = 0; i < changes; ++i) {
    const std::size_t which = random() % alarms.size();
    switch (random() % 4) {
      case 0:
        queue.remove(alarms[which]);
        wanted[which] = -1;
        break;
      case 1:
        queue.disarm(alarms[which]);
        wanted[which] = -1;
        break;
      default:
        wanted[which] = static_cast<int>(200 + random() % 100);
        arm(alarms[which], milliseconds(wanted[which]));
    }
  }
  ASSERT_LT(steady_clock::now(), start + 200ms) << "too slow a machine for this test";
  run_until(500ms);
  for (std::size_t i = 0; i < alarms.size(); ++i) {
    ASSERT_EQ(alarms[i].rang.size(), wanted[i] >= 0 ? 1U : 0U) << i;
    if (wanted[i] >= 0) is_about(alarms[i].rang[0], start + milliseconds(wanted[i]));
  }
}

}  // namespace
}  // namespace halfopen::net
