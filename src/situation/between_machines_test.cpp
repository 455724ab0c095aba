#include "situation/between_machines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>

namespace halfopen::situation {
namespace {

using testing::HasSubstr;
using testing::Not;

machine_matrix two_and_a_missing() {
  return machine_matrix({{"x86-64", {"own"}, {}},
                         {"s390x", {"qemu-s390x", "pair"}, {}},
                         {"armhf", {}, "apt-get install qemu-user"}});
}

result played(const choice& c, const std::string& saw, verdict what = verdict::met) {
  result r;
  r.situation = c.of->name;
  r.variant = c.variant->name;
  r.verdict = what;
  r.saw = saw;
  r.answer = saw.substr(saw.rfind(' ') + 1);
  r.checks = {{"packet 4: ea ff", true, true}};
  return r;
}

TEST(machine_matrix, plays_each_that_can_with_each_that_can) {
  auto matrix = two_and_a_missing();
  const auto choices = matrix.choices();
  ASSERT_EQ(choices.size(), 2U * 2U * 4U);
  const auto found = std::ranges::find_if(
      choices, [](const choice& c) { return c.variant->name == "x86-64-to-s390x-record"; });
  ASSERT_NE(found, choices.end());
  EXPECT_EQ(found->client_program, std::vector<std::string>{"own"});
  EXPECT_EQ(found->server_program, (std::vector<std::string>{"qemu-s390x", "pair"}));
  EXPECT_EQ(found->pair, pair_kind::naive);
}

TEST(machine_matrix, what_cannot_play_is_not_applicable_and_says_what_to_install) {
  const auto matrix = two_and_a_missing();
  constexpr std::array both{pair_kind::naive, pair_kind::robust};
  EXPECT_EQ(matrix.not_applicable(std::span(both).first(1)).size(), (9U - 4U) * 2U);
  const auto missing = matrix.not_applicable(both);
  EXPECT_EQ(missing.size(), (9U - 4U) * 4U);
  for (const result& r : missing) {
    EXPECT_EQ(r.verdict, verdict::not_applicable) << id_of(r);
    EXPECT_EQ(r.problem, "apt-get install qemu-user") << id_of(r);
  }
  EXPECT_THAT(machines_missing(matrix.machines()), HasSubstr("armhf: apt-get install qemu-user"));
  EXPECT_THAT(matrix.table(missing, {.width = 120}), HasSubstr("applicable"));
}

TEST(machine_matrix, a_cell_says_the_sum_and_what_is_not_as_expected) {
  auto matrix = two_and_a_missing();
  std::vector<result> results;
  for (const choice& c : matrix.choices()) {
    const bool good = c.variant->name != "s390x-to-x86-64-text";
    results.push_back(
        played(c, good ? "-22 + -77 = -99" : "-22 + -77 = -98", good ? verdict::met : verdict::not_met));
  }
  const std::string text = matrix.table(results, {.width = 120});
  EXPECT_THAT(text, HasSubstr("text wrong: not met"));
  EXPECT_THAT(text, HasSubstr("s390x-to-x86-64-text: -22 + -77 = -98\n    packet 4: ea ff"));
  EXPECT_THAT(text, Not(HasSubstr("raw wrong")));
}

TEST(machine_matrix, of_several_rounds_the_one_that_failed_is_shown) {
  auto matrix = two_and_a_missing();
  const choice first = matrix.choices().front();
  const std::vector<result> rounds{played(first, "-22 + -77 = -99"),
                                   played(first, "-22 + -77 = 1", verdict::not_met)};
  EXPECT_THAT(matrix.table(rounds, {.width = 120}), HasSubstr("raw wrong: not met"));
}

TEST(machine, this_one_plays_by_itself) {
  const machine own = find_machine(machine_names().front());
  EXPECT_TRUE(own.can_play());
  EXPECT_EQ(own.lacks, "");
}

TEST(output_of, a_command) {
  EXPECT_EQ(output_of({"/bin/echo", "one", "two"}).value_or("?"), "one two\n");
  EXPECT_EQ(output_of({"/bin/false"}).error(), "exit 1");
  EXPECT_EQ(output_of({"/nowhere/x"}).error(), "No such file or directory");
  EXPECT_EQ(output_of({"/bin/sh", "-c", "kill -9 $$"}).error(), "killed by signal 9");
}

TEST(bytes_by_format, lines_to_words) {
  const auto found = bytes_by_format("long 4\nraw ea b3\n\nodd\n");
  EXPECT_EQ(found.at("long"), "4");
  EXPECT_EQ(found.at("raw"), "ea b3");
  EXPECT_EQ(found.size(), 2U);
}

}  // namespace
}  // namespace halfopen::situation
