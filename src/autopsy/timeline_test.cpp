#include "autopsy/timeline.hpp"

#include <gtest/gtest.h>

namespace halfopen::autopsy {
namespace {

using namespace std::chrono_literals;

trace::time_point at(std::chrono::nanoseconds t) {
  return trace::time_point{1'700'000'000s} + t;
}

std::uint64_t events(const timeline& t) {
  std::uint64_t n = 0;
  for (const auto& s : t.steps()) n += s.events;
  return n;
}

TEST(timeline, loses_no_event_however_far_they_are_apart) {
  timeline t;
  for (int i = 0; i < 1000; ++i) t.add(at(i * 17s));
  EXPECT_EQ(events(t), 1000U);
  EXPECT_LE(t.steps().size(), timeline::most_steps);
  EXPECT_GE(t.steps().size(), timeline::most_steps / 2);
}

TEST(timeline, takes_events_in_any_order) {
  timeline forth, back;
  for (int i = 0; i < 100; ++i) {
    forth.add(at(i * 1s));
    back.add(at((99 - i) * 1s));
  }
  ASSERT_EQ(forth.steps().size(), back.steps().size());
  for (std::size_t i = 0; i < forth.steps().size(); ++i)
    EXPECT_EQ(forth.steps()[i].events, back.steps()[i].events);
}

TEST(timeline, holds_times_that_no_clock_ever_had) {
  timeline t;
  t.add(trace::time_point::min());
  t.add(trace::time_point::max());
  t.add(trace::time_point{});
  t.add(trace::time_point{-1ns});
  EXPECT_EQ(events(t), 4U);
}

TEST(timeline, a_step_says_when_it_begins) {
  timeline t;
  t.add(at(0s));
  t.add(at(1h));
  const auto steps = t.steps();
  EXPECT_LE(steps.front().begins, at(0s));
  EXPECT_GT(steps.front().begins + t.step(), at(0s));
  EXPECT_LE(steps.back().begins, at(1h));
}

TEST(sparkline, is_highest_where_the_most_are) {
  EXPECT_EQ(sparkline({{at(0s), 1}, {at(1s), 0}, {at(2s), 8}}), "▂·█");
  EXPECT_EQ(sparkline({}), "");
}

}  // namespace
}  // namespace halfopen::autopsy
