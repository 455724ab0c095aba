#include <gtest/gtest.h>

#include "judge/document.hpp"
#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using samples::pair;
using samples::result;

std::string badge_of(const judgement& j, bool strict = false) {
  return to_badge(std::span(&j, 1), strict);
}

constexpr const char *green = "#2e7d32", *amber = "#8a6100", *red = "#c62828";

TEST(badge, passes_alone_are_green) {
  const std::string svg =
      badge_of(pair("a", {result("exit/1", verdict::pass), result("exit/2", verdict::pass),
                          result("exit/3", verdict::not_applicable)}));
  EXPECT_TRUE(svg.contains(">2 pass<"));
  EXPECT_TRUE(svg.contains(green));
}

TEST(badge, what_is_not_known_or_warned_of_is_amber) {
  EXPECT_TRUE(badge_of(pair("a", {result("exit/1", verdict::inconclusive)})).contains(amber));
  EXPECT_TRUE(badge_of(pair("a", {result("exit/1", verdict::warn)})).contains(amber));
  EXPECT_TRUE(badge_of(pair("a", {})).contains(amber)) << "nothing was played";
  judgement stopped = pair("a", {result("exit/1", verdict::pass)});
  stopped.interrupted = true;
  EXPECT_TRUE(badge_of(stopped).contains(amber));
}

TEST(badge, a_failure_is_red_and_strictly_a_warning) {
  EXPECT_TRUE(
      badge_of(pair("a", {result("exit/1", verdict::fail), result("exit/2", verdict::pass)})).contains(red));
  EXPECT_TRUE(badge_of(pair("a", {result("exit/1", verdict::warn)}), true).contains(red));
}

TEST(badge, no_word_of_a_program_is_in_it) {
  EXPECT_FALSE(badge_of(samples::hostile_pair()).contains("script"));
}

}  // namespace
}  // namespace halfopen::judge
