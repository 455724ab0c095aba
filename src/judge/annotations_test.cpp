#include <gtest/gtest.h>

#include <algorithm>

#include "judge/document.hpp"
#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using samples::pair;
using samples::result;

std::string annotations_of(const judgement& j, bool strict = false) {
  return to_annotations(std::span(&j, 1), strict);
}

TEST(annotations, the_worst_come_first_and_a_pass_is_none) {
  EXPECT_EQ(annotations_of(pair("a", {result("exit/1", verdict::pass), result("exit/2", verdict::warn),
                                      result("exit/3", verdict::fail)})),
            "::error title=a%3A exit/3 (client)::an outcome%0AChange: a cure\n"
            "::warning title=a%3A exit/2 (client)::an outcome%0AChange: a cure\n");
}

TEST(annotations, strictly_a_warning_is_an_error) {
  EXPECT_TRUE(annotations_of(pair("a", {result("exit/2", verdict::warn)}), true).starts_with("::error "));
}

TEST(annotations, no_program_can_give_the_runner_a_command) {
  judgement j = pair("a", {result("exit/3", verdict::fail)});
  j.results[0].happened = "100%\n::set-output name=x::y\r\n";
  const std::string text = annotations_of(j);
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_TRUE(text.contains("100%25"));
  EXPECT_EQ(std::ranges::count(annotations_of(samples::hostile_pair()), '\x1b'), 0);
}

TEST(annotations, of_very_many_the_number_is_told) {
  const std::string text = annotations_of(pair("a", std::vector(13, result("exit/1", verdict::fail))));
  EXPECT_EQ(std::ranges::count(text, '\n'), 11);
  EXPECT_TRUE(text.contains("... and 3 more: fail"));
}

}  // namespace
}  // namespace halfopen::judge
