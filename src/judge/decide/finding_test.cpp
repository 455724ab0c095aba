#include "judge/decide/finding.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace halfopen::judge {
namespace {

finding found(verdict v, basis b = basis::event) {
  return {.verdict = v, .rests_on = b};
}

TEST(told_of, nothing_is_told_of_nothing) {
  EXPECT_EQ(told_of({}), std::nullopt);
}

TEST(told_of, the_worst_is_told_and_what_is_not_known_stands_between_failure_and_warning) {
  const std::vector all{found(verdict::pass), found(verdict::warn), found(verdict::not_applicable),
                        found(verdict::inconclusive), found(verdict::fail)};
  for (std::size_t n = 1; n <= all.size(); ++n) EXPECT_EQ(told_of(std::span(all).first(n)), n - 1);
  const std::vector backwards(all.rbegin(), all.rend());
  EXPECT_EQ(told_of(backwards), 0U);
}

TEST(told_of, of_equals_an_event_is_told_rather_than_a_time_and_else_the_first) {
  EXPECT_EQ(told_of(std::vector{found(verdict::fail, basis::time), found(verdict::fail)}), 1U);
  EXPECT_EQ(told_of(std::vector{found(verdict::fail, basis::time), found(verdict::fail, basis::processor)}),
            0U);
  EXPECT_EQ(told_of(std::vector{found(verdict::fail), found(verdict::fail)}), 0U);
}

TEST(needs_confirmation, only_an_accusation_does_that_rests_on_no_event) {
  for (const basis b : {basis::time, basis::processor}) {
    EXPECT_TRUE(needs_confirmation(verdict::fail, b));
    EXPECT_TRUE(needs_confirmation(verdict::warn, b));
    EXPECT_FALSE(needs_confirmation(verdict::pass, b));
    EXPECT_FALSE(needs_confirmation(verdict::inconclusive, b));
  }
  EXPECT_FALSE(needs_confirmation(verdict::fail, basis::event));
}

TEST(finding, every_word_has_a_name_and_verdicts_are_read_back) {
  for (int i = 0; i <= static_cast<int>(outcome::does_as_asked); ++i)
    EXPECT_FALSE(to_string(static_cast<outcome>(i)).empty());
  for (int i = 0; i <= static_cast<int>(obstacle::unconfirmed); ++i)
    EXPECT_FALSE(to_string(static_cast<obstacle>(i)).empty());
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(parse_verdict(to_string(static_cast<verdict>(i))), static_cast<verdict>(i));
  EXPECT_EQ(parse_verdict("guilty"), std::nullopt);
  EXPECT_EQ(to_string(static_cast<verdict>(9)), "?");
  EXPECT_EQ(to_string(player::recording), "recording");
  EXPECT_EQ(to_string(subject::client), "client");
  EXPECT_EQ(to_string(subject::server), "server");
  EXPECT_EQ(to_string(basis::processor), "processor");
  EXPECT_EQ(to_string(hang_length::source::measured), "measured");
  EXPECT_EQ(to_string(hang_length::source::watched), "watched");
}

}  // namespace
}  // namespace halfopen::judge
