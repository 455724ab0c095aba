#include "judge/confirm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

case_result result(verdict v, basis b = basis::time) {
  case_result r;
  r.id = "crash/7";
  r.verdict = v;
  r.rests_on = b;
  r.happened = "hangs";
  r.cure = "do not";
  if ((v == verdict::fail || v == verdict::warn) && b != basis::event) r.confirmed = confirmation::wanted;
  return r;
}

TEST(second_playing, is_for_what_rests_on_time) {
  EXPECT_EQ(second_playing(result(verdict::fail), true), again::virtual_clock);
  EXPECT_EQ(second_playing(result(verdict::warn), true), again::virtual_clock);
  EXPECT_EQ(second_playing(result(verdict::fail), false), again::alone);
  EXPECT_EQ(second_playing(result(verdict::fail, basis::processor), true), again::alone);
  EXPECT_EQ(second_playing(result(verdict::fail, basis::event), true), again::no);
  EXPECT_EQ(second_playing(result(verdict::pass), true), again::no);
  EXPECT_EQ(second_playing(result(verdict::not_applicable), true), again::no);
}

TEST(second_playing, is_for_what_the_load_may_have_kept_from_being_proved) {
  case_result r = result(verdict::inconclusive);
  EXPECT_EQ(second_playing(r, true), again::no);
  r.may_be_load = true;
  EXPECT_EQ(second_playing(r, false), again::alone);
  EXPECT_EQ(second_playing(r, true), again::virtual_clock) << "there no load matters";
  r.rests_on = basis::event;
  EXPECT_EQ(second_playing(r, true), again::alone);
}

TEST(confirmed, an_accusation_that_is_repeated_counts_with_what_was_measured) {
  case_result second = result(verdict::warn);
  second.happened = "given back after 300 s (measured)";
  const case_result r = confirmed(result(verdict::fail), second, again::virtual_clock);
  EXPECT_EQ(r.verdict, verdict::warn);
  EXPECT_EQ(r.happened, second.happened);
  EXPECT_EQ(r.confirmed, confirmation::virtual_clock);
  EXPECT_EQ(confirmed(result(verdict::fail), second, again::alone).confirmed, confirmation::alone);
  EXPECT_EQ(confirmed(result(verdict::fail), result(verdict::fail, basis::event), again::alone).confirmed,
            confirmation::not_needed);
}

TEST(confirmed, an_accusation_that_is_not_repeated_is_none) {
  case_result first = result(verdict::fail);
  first.kept_waiting = 12s;
  first.took = 30s;
  case_result second = result(verdict::pass);
  second.happened = "recovered";
  const case_result r = confirmed(first, second, again::virtual_clock);
  EXPECT_EQ(r.verdict, verdict::inconclusive);
  EXPECT_EQ(r.confirmed, confirmation::refuted);
  EXPECT_TRUE(r.cure.empty());
  EXPECT_THAT(r.reason, HasSubstr("the machine was too busy"));
  EXPECT_THAT(r.reason, HasSubstr("12.0 s of 30.0 s"));
  EXPECT_THAT(r.reason, HasSubstr("\"recovered\""));
}

TEST(confirmed, what_was_only_looked_at_is_decided_by_the_second_playing) {
  case_result first = result(verdict::fail);
  first.provisional = true;
  EXPECT_EQ(confirmed(first, result(verdict::pass), again::virtual_clock).verdict, verdict::pass);
  const case_result r = confirmed(first, result(verdict::warn), again::virtual_clock);
  EXPECT_EQ(r.verdict, verdict::warn);
  EXPECT_EQ(r.confirmed, confirmation::virtual_clock);
  EXPECT_FALSE(r.provisional);
  EXPECT_EQ(confirmed(first, result(verdict::inconclusive), again::alone).verdict, verdict::inconclusive);
}

TEST(confirmed, a_second_playing_that_says_nothing_confirms_nothing) {
  case_result second = result(verdict::inconclusive);
  second.reason = "no guest";
  const case_result r = confirmed(result(verdict::fail), second, again::alone);
  EXPECT_EQ(r.verdict, verdict::inconclusive);
  EXPECT_THAT(r.reason, HasSubstr("no guest"));
}

TEST(confirmed, what_was_inconclusive_gets_what_comes_out_alone) {
  case_result first = result(verdict::inconclusive);
  first.may_be_load = true;
  EXPECT_EQ(confirmed(first, result(verdict::pass), again::alone).verdict, verdict::pass);
  const case_result r = confirmed(first, result(verdict::fail), again::alone);
  EXPECT_EQ(r.verdict, verdict::fail);
  EXPECT_EQ(r.confirmed, confirmation::alone) << "it was played alone";
  EXPECT_EQ(confirmed(first, result(verdict::fail), again::virtual_clock).confirmed,
            confirmation::virtual_clock);
}

TEST(confirmed, what_fails_alone_on_a_machine_that_others_keep_busy_is_inconclusive) {
  case_result second = result(verdict::fail);
  second.took = 10s;
  second.kept_waiting = 5s;
  EXPECT_EQ(confirmed(result(verdict::fail), second, again::alone).verdict, verdict::inconclusive);
  EXPECT_EQ(confirmed(result(verdict::fail), second, again::virtual_clock).verdict, verdict::fail);
  second.rests_on = basis::event;
  EXPECT_EQ(confirmed(result(verdict::fail), second, again::alone).verdict, verdict::fail);
  second.rests_on = basis::processor;  // of which the time that others had is taken off
  EXPECT_EQ(confirmed(result(verdict::fail), second, again::alone).verdict, verdict::fail);
}

TEST(third_playing, is_for_what_passes_under_the_virtual_clock_alone) {
  EXPECT_TRUE(third_playing(result(verdict::fail), result(verdict::pass)));
  EXPECT_FALSE(third_playing(result(verdict::fail), result(verdict::warn)));
  case_result looked_at = result(verdict::fail);
  looked_at.provisional = true;
  EXPECT_FALSE(third_playing(looked_at, result(verdict::pass)));
  EXPECT_FALSE(third_playing(result(verdict::inconclusive), result(verdict::pass)));
}

TEST(unconfirmed, is_inconclusive) {
  EXPECT_EQ(unconfirmed(result(verdict::fail), "it was interrupted").verdict, verdict::inconclusive);
  EXPECT_EQ(unconfirmed(result(verdict::fail, basis::event), "").verdict, verdict::fail);
  EXPECT_EQ(unconfirmed(result(verdict::pass), "").verdict, verdict::pass);
}

}  // namespace
}  // namespace halfopen::judge
