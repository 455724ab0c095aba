#include "situation/endings_table.hpp"

#include <gmock/gmock.h>

#include "situation/summary.hpp"

namespace halfopen::situation {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

result played(const char* situation, const char* variant, three_views views, std::size_t round = 1) {
  result r;
  r.situation = situation;
  r.variant = variant;
  r.pair = "robust";
  r.round = round;
  r.verdict = views.agree ? verdict::met : verdict::not_met;
  r.saw = views.agree ? "an end" : "another end";
  r.endings = std::move(views);
  return r;
}

three_views reset(bool agree) {
  return {.done = "peer_reset",
          .packets = "peer_reset",
          .reported = {{"client", agree ? "peer_reset" : "peer_vanished"}},
          .agree = agree,
          .because = {}};
}

TEST(endings_table, a_row_a_variant_the_reasons_and_the_count) {
  const three_views stopped{.done = "shut_down",
                            .packets = "completed",
                            .reported = {{"client", "completed"}, {"server", "shut_down"}},
                            .agree = true,
                            .because = {"it was told to stop"}};
  const std::vector<result> all{played("shutdown", "idle", stopped), played("exit", "rst-first", reset(true)),
                                played("shutdown", "ignored", stopped)};
  EXPECT_EQ(endings_table(all, {.width = 100}),
            "variant       what was done    the packets tell  the library reported  agree\n"
            "────────────────────────────────────────────────────────────────────────────\n"
            "2. the server process terminates (exit)\n"
            "rst-first     peer_reset       peer_reset        peer_reset            yes\n"
            "────────────────────────────────────────────────────────────────────────────\n"
            "6. the server host is shut down (shutdown)\n"
            "idle          shut_down        completed         client: completed     yes\n"
            "                                                 server: shut_down\n"
            "ignored       shut_down        completed         client: completed     yes\n"
            "                                                 server: shut_down\n"
            "\n"
            "shutdown/idle, shutdown/ignored: it was told to stop\n");
  EXPECT_EQ(endings_table(all, {.width = 80}), "shutdown/idle, shutdown/ignored: it was told to stop\n")
      << "in a narrow window the rest is in the summary";
  EXPECT_EQ(agreements_in_words(all), "3 of 3 agree");
}

TEST(endings_table, a_disagreement_and_a_run_that_did_not_come_so_far) {
  std::vector<result> all{played("exit", "rst-first", reset(false)),
                          played("exit", "unread-data", reset(true))};
  all[1].endings.reset();
  EXPECT_THAT(endings_table(all, {.width = 120}),
              AllOf(ContainsRegex("peer_reset +peer_reset +peer_vanished +NO\n"),
                    ContainsRegex("unread-data +\\(the run did not come so far\\) +- +- +NO\n")));
  EXPECT_EQ(agreements_in_words(all), "0 of 2 agree");
}

TEST(endings_table, the_naive_pair_reports_no_endings) {
  std::vector<result> all{played("exit", "rst-first", reset(true))};
  all[0].pair = "naive";
  for (const std::size_t width : {80U, 120U}) EXPECT_THAT(endings_table(all, {.width = width}), IsEmpty());
  EXPECT_THAT(agreements_in_words(all), IsEmpty());
}

TEST(endings_table, rounds_are_counted) {
  std::vector<result> all;
  for (std::size_t round = 1; round <= 1000; ++round)
    all.push_back(played("exit", "rst-first", reset(round != 17), round));
  EXPECT_THAT(endings_table(all, {.width = 120}), AllOf(HasSubstr("999 of 1000: peer_reset   999 of 1000\n"),
                                                        HasSubstr("1 of 1000: peer_vanished\n")));
  EXPECT_EQ(agreements_in_words(all), "999 of 1000 agree");
  EXPECT_THAT(summary_table(all, {.width = 160}),
              AllOf(HasSubstr("999 of 1000: an end"), HasSubstr("1 of 1000: another end"),
                    HasSubstr("robust: 999 pass"), HasSubstr("robust: 1 not met")));
  EXPECT_THAT(shortcomings(all),
              AllOf(HasSubstr("exit/rst-first robust, round 17: not met"), Not(HasSubstr("round 18"))));
}

}  // namespace
}  // namespace halfopen::situation
