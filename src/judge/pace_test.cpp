#include "judge/pace.hpp"

#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;

constexpr pace::time_point zero{};

TEST(pace, one_may_always_start) {
  pace p(100, 2, zero);
  p.started();
  EXPECT_TRUE(p.may_start(0));
  EXPECT_FALSE(p.may_start(1)) << "a hundred seconds are owed";
}

TEST(pace, what_is_cheap_starts_at_once_and_what_is_dear_waits_for_the_processors) {
  pace cheap(0.01, 2, zero);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(cheap.may_start(i)) << i;
    cheap.started();
  }
  pace dear(1, 2, zero);
  dear.started();
  EXPECT_FALSE(dear.may_start(1));
  dear.look(std::nullopt, zero + 200ms);
  EXPECT_FALSE(dear.may_start(1)) << "0.6 s are owed, 0.5 are allowed";
  dear.look(std::nullopt, zero + 300ms);
  EXPECT_TRUE(dear.may_start(1));
}

TEST(pace, where_others_keep_the_machine_busy_only_some_run_side_by_side) {
  pace p(0.01, 2, zero);
  p.look(processor_times{10, 100}, zero + 100ms);
  p.look(processor_times{10, 100.2}, zero + 200ms);
  EXPECT_DOUBLE_EQ(p.busy(), 1);
  EXPECT_EQ(p.least(), 4U);
  EXPECT_TRUE(p.may_start(3));
  EXPECT_FALSE(p.may_start(4));
  p.look(processor_times{10.1, 100.4}, zero + 300ms);
  EXPECT_TRUE(p.may_start(4)) << "half of the time it was idle";
}

TEST(pace, two_looks_at_one_time_are_one) {
  pace p(1, 2, zero);
  p.started();
  for (int i = 0; i < 100; ++i) p.look(std::nullopt, zero + 10ms);
  EXPECT_FALSE(p.may_start(1));
}

TEST(processor_times, are_read_from_this_machine) {
  const auto now = processor_times_now();
  ASSERT_TRUE(now.has_value());
  EXPECT_GT(now->all, 0);
  EXPECT_GE(now->all, now->idle);
}

}  // namespace
}  // namespace halfopen::judge
