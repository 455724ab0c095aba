#include "judge/worst.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using samples::pair;
using testing::ElementsAre;
using source = hang_length::source;

case_result that(verdict v, outcome did, hang_length length = {}, subject who = subject::client) {
  case_result r = samples::result("x/1", v, who);
  r.did = did;
  r.length = length;
  return r;
}

constexpr hang_length never{source::computed, std::nullopt};

TEST(worst, what_is_taken_for_right_does_more_harm_than_what_ends) {
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::false_success)), harm::wrong);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::answers_wrong)), harm::wrong);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::crashed)), harm::ends_badly);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::crashed, {}, subject::server)), harm::gone);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::never_serves_again, {}, subject::service)), harm::gone);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::tries_again)), harm::waits_for_ever);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::not_as_asked)), harm::other);
  case_result nothing = samples::result("x/1", verdict::fail);
  EXPECT_EQ(harm_of(nothing), harm::other);
}

TEST(worst, a_wait_is_as_bad_as_it_is_long) {
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::hangs, never)), harm::waits_for_ever);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::hangs, {source::measured, std::nullopt, 3h})),
            harm::waits_for_ever);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::hangs)), harm::waits_who_knows);
  EXPECT_EQ(harm_of(that(verdict::fail, outcome::hangs, {source::computed, 924s})), harm::waits);
}

TEST(worst, failures_come_first_and_what_hangs_for_ever_before_what_hangs_long) {
  const std::vector<judgement> pairs{
      pair("a", {that(verdict::warn, outcome::holds, never, subject::server),
                 that(verdict::fail, outcome::hangs, {source::computed, 30s}),
                 that(verdict::fail, outcome::hangs, never), that(verdict::pass, outcome::reported)})};
  EXPECT_THAT(worst_of(pairs, 9), ElementsAre(case_place{0, 2}, case_place{0, 1}, case_place{0, 0}));
  EXPECT_THAT(worst_of(pairs, 1), ElementsAre(case_place{0, 2}));
}

TEST(worst, of_two_hangs_the_longer_one_is_worse) {
  const std::vector<judgement> pairs{
      pair("a", {that(verdict::fail, outcome::hangs, {source::computed, 30s})}),
      pair("b", {that(verdict::fail, outcome::hangs, {source::computed, 924s})})};
  EXPECT_THAT(worst_of(pairs, 1), ElementsAre(case_place{1, 0}));
}

TEST(worst, what_shows_the_same_again_waits_behind_another_kind) {
  const auto hang = that(verdict::fail, outcome::hangs, never);
  const std::vector<judgement> pairs{pair("a", {hang, hang, hang, that(verdict::fail, outcome::not_as_asked),
                                                that(verdict::warn, outcome::refuses_late)})};
  EXPECT_THAT(worst_of(pairs, 3), ElementsAre(case_place{0, 0}, case_place{0, 3}, case_place{0, 1}))
      << "and before every warning";
}

TEST(worst, where_nothing_fails_or_warns_there_is_none) {
  EXPECT_TRUE(worst_of({}, 3).empty());
  const std::vector<judgement> pairs{pair(
      "a", {that(verdict::inconclusive, outcome::hangs), that(verdict::not_applicable, outcome::hangs)})};
  EXPECT_TRUE(worst_of(pairs, 3).empty());
}

}  // namespace
}  // namespace halfopen::judge
