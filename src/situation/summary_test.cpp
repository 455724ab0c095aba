#include "situation/summary.hpp"

#include <gmock/gmock.h>

#include "report/utf8.hpp"

namespace halfopen::situation {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

result seen(const char* situation, const char* variant, const char* pair, std::string saw) {
  result r;
  r.situation = situation;
  r.variant = variant;
  r.pair = pair;
  r.verdict = verdict::met;
  r.saw = std::move(saw);
  r.after = 3ms;
  r.checks = {{"RST from the server (packet 2)", true, true}};
  if (r.pair == "robust")
    r.endings = three_views{"peer_reset", "peer_reset", {{"client", "peer_reset"}}, true, {}};
  return r;
}

std::vector<result> two_variants() {
  return {seen("exit", "rst-first", "naive", "read: ECONNRESET"),
          seen("exit", "rst-first", "robust", "peer_reset while idle"),
          seen("crash", "idle", "naive", "nothing: " + std::string(300, 'x')),
          seen("crash", "idle", "robust", "peer_vanished while idle")};
}

TEST(overview, a_line_a_variant_with_what_the_naive_program_saw) {
  std::vector<result> all = two_variants();
  all[2].saw = "nothing in 3.5 s";
  all[2].by_default = "7875.0 s with SO_KEEPALIVE";
  EXPECT_EQ(overview(all, {.width = 80}),
            "  variant    lab   the naive program saw\n"
            "2. the server process terminates (exit)\n"
            "  rst-first  pass  read: ECONNRESET, after 3 ms\n"
            "4. the server host crashes (crash)\n"
            "  idle       pass  nothing in 3.5 s, after 3 ms (computed: 7875.0 s with SO_KEE…\n");
}

TEST(overview, no_line_is_longer_than_the_window) {
  for (const std::size_t width : {60U, 80U, 100U, 129U, 130U, 200U})
    for (std::string text = overview(two_variants(), {.width = width}); !text.empty();
         text.erase(0, text.find('\n') + 1))
      EXPECT_LE(report::display_width(text.substr(0, text.find('\n'))), width) << text;
}

TEST(overview, the_robust_program_is_shown_where_there_is_room_or_it_played_alone) {
  EXPECT_THAT(overview(two_variants(), {.width = 129}), Not(HasSubstr("peer_reset")));
  EXPECT_THAT(overview(two_variants(), {.width = 130}),
              ContainsRegex("read: ECONNRESET, after 3 ms +peer_reset while idle"));
  EXPECT_THAT(overview(std::vector{two_variants()[1]}, {.width = 80}),
              AllOf(HasSubstr("the robust program saw"), HasSubstr("peer_reset while idle")));
}

TEST(overview, what_was_not_met_is_said_of_the_pair_that_it_befell) {
  std::vector<result> all = two_variants();
  all[1].verdict = verdict::inconclusive;
  EXPECT_THAT(overview(all, {.width = 80}), HasSubstr("  rst-first  robust: inconclusive  read: ECONNRESET"));
  const auto found = of_what_was_not_met(all);
  ASSERT_EQ(found.size(), 2U) << "both pairs of that variant";
  EXPECT_THAT((std::vector{found[0].pair, found[1].pair}), ElementsAre("naive", "robust"));
  EXPECT_EQ(found[0].variant, "rst-first");
  EXPECT_THAT(of_what_was_not_met(two_variants()), IsEmpty());
}

TEST(summary_table, in_a_narrow_window_a_record_says_all_of_a_variant) {
  const std::string text = summary_table(two_variants(), {.width = 80});
  EXPECT_THAT(text,
              AllOf(HasSubstr("what was done           SIGKILL to the server; the client writes"),
                    HasSubstr("agree                   yes: done peer_reset, the packets tell peer_reset")));
  EXPECT_THAT(summary_table(two_variants(), {.width = 100}), Not(HasSubstr("done peer_reset")));
}

}  // namespace
}  // namespace halfopen::situation
