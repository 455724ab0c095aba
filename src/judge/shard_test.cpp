#include "judge/shard.hpp"

#include <gmock/gmock.h>

#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using ::testing::UnorderedElementsAreArray;

std::vector<const judge_case*> the_first(std::size_t n) {
  auto all = all_cases();
  all.resize(n);
  return all;
}

TEST(shard, each_case_is_in_one_part) {
  const auto all = all_cases();
  case_costs costs;
  for (std::size_t i = 0; i < all.size(); i += 2)
    costs[std::string(all[i]->id)] = 100ms * static_cast<int>(i);
  for (const case_costs& known : {case_costs{}, costs})
    for (const std::size_t of : {1U, 3U, 7U, 100U}) {
      std::vector<const judge_case*> joined;
      for (std::size_t i = 0; i < of; ++i)
        for (const judge_case* c : part_of(all, known, {i, of})) joined.push_back(c);
      EXPECT_THAT(joined, UnorderedElementsAreArray(all)) << of;
    }
}

TEST(shard, without_costs_the_parts_are_as_long_as_each_other) {
  const auto all = the_first(10);
  EXPECT_EQ(part_of(all, {}, {0, 3}).size(), 4U);
  EXPECT_EQ(part_of(all, {}, {1, 3}).size(), 3U);
  EXPECT_EQ(part_of(all, {}, {2, 3}).size(), 3U);
}

TEST(shard, a_dear_case_has_a_part_of_its_own) {
  const auto all = the_first(5);
  case_costs costs;
  for (const judge_case* c : all) costs[std::string(c->id)] = 1s;
  costs[std::string(all[3]->id)] = 60s;
  EXPECT_EQ(part_of(all, costs, {0, 2}), std::vector{all[3]});
  EXPECT_EQ(part_of(all, costs, {1, 2}).size(), 4U);
}

TEST(shard, a_case_at_two_requests_costs_both_and_an_unknown_one_the_mean) {
  std::vector<const judge_case*> all;
  for (const judge_case* c : all_cases())
    if (c->id == "exit/5" || c->id == "exit/6" || c->id == "exit/7") all.push_back(c);
  ASSERT_EQ(all.size(), 3U);
  const case_costs costs{{"exit/5", 30s}, {"exit/6", 20s}, {"exit/6@1", 20s}};  // so exit/7: 35 s
  EXPECT_EQ(part_of(all, costs, {0, 2}), std::vector{all[1]});
  EXPECT_EQ(part_of(all, costs, {1, 2}), (std::vector{all[0], all[2]}));
}

TEST(shard, costs_are_those_of_that_name_and_the_longest) {
  judgement once = samples::pair("a", {samples::result("exit/6", verdict::pass)});
  once.results[0].took = 3s;
  judgement again = once;
  again.results[0].took = 2s;
  judgement other = samples::pair("b", {samples::result("exit/7", verdict::pass)});
  const auto costs = costs_in(std::vector{once, again, other}, "a");
  EXPECT_EQ(costs, (case_costs{{"exit/6", 3s}}));
}

}  // namespace
}  // namespace halfopen::judge
