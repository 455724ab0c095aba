#include "judge/busy.hpp"

#include <gtest/gtest.h>

#include <array>

namespace halfopen::judge {
namespace {

std::optional<double> share(thread_activity t, double elapsed = 1) {
  return share_of(std::array{t}, elapsed, 0.5);
}

TEST(share_of, a_loop_on_an_idle_machine_has_it_all) {
  EXPECT_NEAR(share({.ran = 0.98, .ready = true}).value(), 0.98, 0.001);
}

TEST(share_of, a_loop_beside_thirty_others_has_all_that_it_was_given) {
  EXPECT_NEAR(share({.ran = 0.03, .waited = 0.96, .ready = true}).value(), 0.75, 0.01);
}

TEST(share_of, who_sleeps_has_little) {
  EXPECT_NEAR(share({.ran = 0.05}).value(), 0.05, 0.001);
  EXPECT_EQ(share({.ran = 0.004}).value(), 0) << "too little to tell anything from";
  EXPECT_EQ(share_of({}, 1, 0.5).value(), 0);
}

TEST(share_of, who_got_no_processor_is_not_said_to_wait) {
  EXPECT_FALSE(share({.ran = 0, .ready = true})) << "it may have stood in the queue all the time";
  EXPECT_FALSE(share({.ran = 0.005, .waited = 0.9, .ready = true}));
  EXPECT_FALSE(share({.ran = 0.1, .ready = true})) << "a wait is counted once it is over";
}

TEST(share_of, who_woke_for_a_moment_on_a_full_machine_is_not_said_to_spin) {
  EXPECT_EQ(share({.ran = 0.005, .waited = 0.995}).value(), 0);
}

TEST(share_of, threads_are_added_up) {
  const std::array<thread_activity, 2> two{{{.ran = 0.3, .ready = true}, {.ran = 0.3, .ready = true}}};
  EXPECT_NEAR(share_of(two, 1, 0.5).value(), 0.6, 0.001);
}

TEST(share_of, who_had_much_to_do_and_waits_now_is_watched_on) {
  EXPECT_FALSE(share({.ran = 0.6}));
  EXPECT_FALSE(share({.ran = 0.011, .waited = 0.13}, 0.15));
}

TEST(share_of, who_does_more_than_waiters_do_is_watched_on) {
  const std::array<thread_activity, 1> some{{{.ran = 0.2}}};
  EXPECT_FALSE(share_of(some, 1, 0.1));
  EXPECT_NEAR(share_of(some, 10, 0.1).value(), 0.02, 0.001);
}

TEST(share_of, a_wait_that_began_before_the_watch_accuses_nobody) {
  EXPECT_FALSE(share({.ran = 0.02, .waited = 0.5, .ready = true}, 0.15));
}

}  // namespace
}  // namespace halfopen::judge
