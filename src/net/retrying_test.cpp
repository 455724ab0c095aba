#include "net/retrying.hpp"

#include <gtest/gtest.h>

namespace halfopen::net {
namespace {

using namespace std::chrono_literals;

TEST(retrying, a_pause_is_doubled_and_stays_finite) {
  EXPECT_EQ(doubled_pause(20ms, 0), 20ms);
  EXPECT_EQ(doubled_pause(20ms, 1), 20ms);
  EXPECT_EQ(doubled_pause(20ms, 3), 80ms);
  EXPECT_EQ(doubled_pause(20ms, 4'000'000'000U), 20ms * 1024);
}

TEST(retrying, full_jitter_is_anything_from_nothing_to_the_doubled_pause) {
  EXPECT_EQ(jittered_pause(20ms, 1h, 3, 0), 0ms);
  EXPECT_EQ(jittered_pause(20ms, 1h, 3, 0.5), 40ms);
  EXPECT_EQ(jittered_pause(20ms, 1h, 3, 1), 80ms);
  EXPECT_EQ(jittered_pause(20ms, 50ms, 3, 1), 50ms) << "and no longer than the most";
  EXPECT_EQ(jittered_pause(20ms, 5s, 4'000'000'000U, 1), 5s);
  EXPECT_EQ(jittered_pause(20ms, -1ms, 1, 1), 0ms);
  EXPECT_EQ(jittered_pause(0ms, 5s, 9, 1), 0ms);
}

TEST(retrying, what_this_side_did_is_no_failure_of_the_peer) {
  fate f;
  for (const ending e : all_endings) {
    f.how = e;
    const bool ours = e == ending::completed || e == ending::shut_down || e == ending::malformed ||
                      e == ending::local_failure;
    EXPECT_EQ(counts_as_failure(f), !ours) << to_string(e);
  }
}

TEST(retrying, a_budget_ends_at_half_and_comes_back_by_answers) {
  retry_budget b(4, 0.5);
  b.failed();
  EXPECT_TRUE(b.allows_repeat());
  b.failed();
  EXPECT_FALSE(b.allows_repeat()) << "half is not enough";
  b.answered();
  EXPECT_TRUE(b.allows_repeat());
  for (int i = 0; i < 100; ++i) b.failed();
  for (int i = 0; i < 4; ++i) b.answered();
  EXPECT_FALSE(b.allows_repeat()) << "never below nothing, never more back than that";
  b.answered();
  EXPECT_TRUE(b.allows_repeat());
  for (int i = 0; i < 100; ++i) b.answered();
  b.failed();
  b.failed();
  EXPECT_FALSE(b.allows_repeat()) << "never more than the most";
}

TEST(retrying, without_a_budget_nothing_is_held_back) {
  retry_budget b(0, 0.1);
  for (int i = 0; i < 100; ++i) b.failed();
  EXPECT_TRUE(b.allows_repeat());
}

constexpr circuit_breaker::time_point at(std::chrono::milliseconds t) {
  return circuit_breaker::time_point(t);
}
using entry = circuit_breaker::entry;

TEST(retrying, the_circuit_opens_after_failures_in_a_row_and_lets_one_probe_through) {
  circuit_breaker b(2, 100ms);
  b.failed(at(0ms), entry::ordinary);
  b.answered();
  b.failed(at(1ms), entry::ordinary);
  EXPECT_EQ(b.enter(at(2ms)), entry::ordinary) << "not in a row";
  b.failed(at(2ms), entry::ordinary);
  EXPECT_TRUE(b.turns_away(at(101ms)));
  EXPECT_EQ(b.enter(at(101ms)), entry::turned_away);
  b.failed(at(50ms), entry::ordinary);  // of one that began before
  EXPECT_EQ(b.enter(at(102ms)), entry::probe);
  EXPECT_EQ(b.enter(at(1000ms)), entry::turned_away) << "one at a time";
  b.answered();
  EXPECT_EQ(b.enter(at(1001ms)), entry::ordinary);
}

TEST(retrying, a_probe_that_fails_puts_the_next_off) {
  circuit_breaker b(1, 100ms);
  b.failed(at(0ms), entry::ordinary);
  ASSERT_EQ(b.enter(at(100ms)), entry::probe);
  b.failed(at(150ms), entry::probe);
  EXPECT_EQ(b.enter(at(249ms)), entry::turned_away);
  ASSERT_EQ(b.enter(at(250ms)), entry::probe);
  b.probe_is_over();
  EXPECT_EQ(b.enter(at(251ms)), entry::probe) << "one that was given up says nothing";
}

TEST(retrying, without_a_breaker_nobody_is_turned_away) {
  circuit_breaker b(0, 1h);
  for (int i = 0; i < 100; ++i) b.failed(at(0ms), entry::ordinary);
  EXPECT_EQ(b.enter(at(0ms)), entry::ordinary);
}

}  // namespace
}  // namespace halfopen::net
