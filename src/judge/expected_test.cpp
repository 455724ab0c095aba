#include "judge/expected.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

using testing::HasSubstr;

std::string expected_of(std::string_view id, const pair& programs = {}) {
  return usual_expectation(*find_cases(id, all_cases()).at(0), programs);
}

TEST(usual_expectation, names_the_limits_of_the_pair) {
  pair programs;
  programs.limit = std::chrono::seconds(7);
  programs.grace = std::chrono::seconds(3);
  EXPECT_THAT(expected_of("crash/7", programs), HasSubstr("an exit other than 0, within 7.0 s of the fault"));
  EXPECT_THAT(expected_of("crash/1", programs), HasSubstr("gives the dead connection back within 7.0 s"));
  EXPECT_EQ(expected_of("shutdown/1", programs), "it ends within 3.0 s of SIGTERM");
}

TEST(usual_expectation, every_case_has_one) {
  for (const family* f : catalogue())
    for (const judge_case& c : f->cases) EXPECT_GT(usual_expectation(c, {}).size(), 10U) << c.id;
}

TEST(complete, a_pass_without_words_is_its_checks) {
  const judge_case& c = *find_cases("shutdown/4", all_cases()).at(0);
  case_result r;
  r.verdict = verdict::pass;
  r.expected = "its own";
  r.checks = {{"SYN seen", true, true}, {"it is refused", true, false}, {"and goes on", true, false}};
  complete(r, c, {});
  EXPECT_EQ(r.expected, "its own");
  EXPECT_EQ(r.happened, "it is refused; and goes on");
}

TEST(complete, words_and_other_verdicts_stay) {
  const judge_case& c = *find_cases("exit/6", all_cases()).at(0);
  case_result r;
  r.verdict = verdict::inconclusive;
  complete(r, c, {});
  EXPECT_EQ(r.happened, "");
  EXPECT_NE(r.expected, "");
  r.verdict = verdict::pass;
  r.happened = "recovered";
  complete(r, c, {});
  EXPECT_EQ(r.happened, "recovered");
}

}  // namespace
}  // namespace halfopen::judge
