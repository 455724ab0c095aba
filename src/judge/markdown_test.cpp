#include <gtest/gtest.h>

#include <algorithm>

#include "judge/document.hpp"
#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using samples::pair;
using samples::result;

std::string of(const judgement& j) {
  return to_markdown(std::span(&j, 1));
}

TEST(markdown, the_worst_come_first_and_passes_are_only_counted) {
  const std::string text = of(pair("a", {result("exit/1", verdict::pass), result("exit/2", verdict::warn),
                                         result("exit/3", verdict::fail)}));
  EXPECT_EQ(text,
            "### halfopen: a\n\n1 pass, 1 warn, 1 fail\n\n"
            "| case | judged | verdict | what happened | what to change |\n| --- | --- | --- | --- | --- |\n"
            "| exit/3 | client | fail | an outcome | a cure |\n"
            "| exit/2 | client | warn | an outcome | a cure |\n\n");
}

TEST(markdown, without_shortcomings_there_is_no_table) {
  EXPECT_EQ(of(pair("a", {result("exit/1", verdict::pass)})), "### halfopen: a\n\n1 pass\n\n");
}

TEST(markdown, of_very_many_the_number_is_told) {
  const std::string text = of(pair("a", std::vector(60, result("exit/1", verdict::fail))));
  EXPECT_TRUE(text.contains("... and 10 more\n"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 4 + 2 + 50 + 2 + 1);
}

TEST(markdown, whatever_a_program_says_stays_text) {
  const std::string text = of(samples::hostile_pair());
  EXPECT_FALSE(text.contains("<script"));
  EXPECT_FALSE(text.contains('\x1b'));
  EXPECT_TRUE(text.contains("&lt;script\\>"));
}

}  // namespace
}  // namespace halfopen::judge
