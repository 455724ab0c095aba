#include "situation/tally.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace halfopen::situation {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

result played(std::size_t round, std::string saw, std::chrono::milliseconds after,
              verdict what = verdict::met) {
  result r;
  r.situation = "exit";
  r.variant = "rst-first";
  r.pair = "robust";
  r.round = round;
  r.verdict = what;
  r.saw = std::move(saw);
  r.after = after;
  r.endings = three_views{"peer_reset", "peer_reset", {}, what == verdict::met, {}};
  return r;
}

std::vector<result> some() {
  return {played(3, "a", 9ms), played(1, "b", 5ms, verdict::not_met), played(2, "a", 1ms)};
}

TEST(tally, the_rounds_of_one_row_in_their_order) {
  auto all = some();
  all.push_back(played(4, "a", 1ms));
  all.back().pair = "naive";
  const rounds found = rounds_of(all, "exit", "rst-first", "robust");
  EXPECT_THAT(found, ElementsAre(&all[1], &all[2], &all[0]));
  EXPECT_THAT(rounds_of(all, "exit", "fin-first", "robust"), IsEmpty());
}

TEST(tally, outcomes_most_frequent_first_with_their_times) {
  const auto all = some();
  const auto found = outcomes_of(rounds_of(all, "exit", "rst-first", "robust"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].what, "a");
  EXPECT_EQ(found[0].times, 2U);
  EXPECT_EQ(found[0].soonest, 1ms);
  EXPECT_EQ(found[0].latest, 9ms);
  EXPECT_EQ(found[1].what, "b");
  EXPECT_EQ(found[1].times, 1U);
}

TEST(tally, what_a_broken_lab_says_is_an_outcome) {
  auto all = some();
  all[0].verdict = verdict::broken;
  all[0].problem = "no memory";
  all[0].after.reset();
  const auto found = outcomes_of({all.data()});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].what, "the lab failed: no memory");
  EXPECT_EQ(found[0].soonest, std::nullopt);
}

TEST(tally, verdicts_and_agreements) {
  auto all = some();
  const rounds found = rounds_of(all, "exit", "rst-first", "robust");
  EXPECT_THAT(verdicts_of(found), ElementsAre(Pair(verdict::met, 2), Pair(verdict::not_met, 1)));
  EXPECT_EQ(agreements_of(found), 2U);
  all[0].endings.reset();  // it did not come so far: that is no agreement
  EXPECT_EQ(agreements_of(found), 1U);
}

TEST(tally, as_json) {
  const auto rows = tallies(some());
  ASSERT_EQ(rows.size(), 1U);
  const auto& row = rows[0];
  EXPECT_EQ(row["variant"], "rst-first");
  EXPECT_EQ(row["played"], 3);
  EXPECT_EQ(row["agree"], 2);
  EXPECT_EQ(row["verdicts"]["not met"], 1);
  EXPECT_EQ(row["outcomes"][0]["times"], 2);
  EXPECT_EQ(row["outcomes"][0]["after_ms"], nlohmann::json({1, 9}));
}

}  // namespace
}  // namespace halfopen::situation
