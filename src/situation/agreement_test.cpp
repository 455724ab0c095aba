#include "situation/agreement.hpp"

#include <gmock/gmock.h>

namespace halfopen::situation {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

trace::story told(ending how, std::vector<ending> also = {}) {
  trace::story s;
  s.ended = true;
  s.how = how;
  s.also_possible = std::move(also);
  return s;
}

report_line said(ending how, std::optional<ending> or_else = {}, std::optional<phase> when = {}) {
  return {"server:7", how, or_else, when};
}

connection_views views(ending done, ending packets, ending reported) {
  return {done, told(packets), {{"client", {said(reported)}, {}}}};
}

bool agree(const connection_views& c) {
  return compare({&c, 1}).agree;
}

TEST(agreement, the_same_word_needs_no_reason) {
  for (const ending e : all_endings) {
    const connection_views c = views(e, e, e);
    EXPECT_TRUE(agree(c)) << to_string(e);
    EXPECT_THAT(compare({&c, 1}).because, IsEmpty()) << to_string(e);
  }
}

/// Every pair of words that differ, in each of the two places: what is allowed is listed here
/// once more, and all else disagrees.
TEST(agreement, other_words_disagree_but_for_those_listed) {
  std::vector<std::string> packets, reports;
  for (const ending done : all_endings)
    for (const ending other : all_endings) {
      if (done == other) continue;
      const std::string pair = std::string(to_string(done)) + " " + std::string(to_string(other));
      if (agree(views(done, other, done))) packets.push_back(pair);
      if (agree(views(done, done, other))) reports.push_back(pair);
    }
  EXPECT_THAT(packets, UnorderedElementsAre("shut_down completed"));
  EXPECT_THAT(reports, UnorderedElementsAre("shut_down completed", "peer_vanished deadline_passed"));
}

TEST(agreement, a_difference_has_its_reason) {
  EXPECT_THAT(std::string(report_allows(ending::peer_vanished, said(ending::deadline_passed)).because),
              HasSubstr("own limit"));
  EXPECT_THAT(std::string(packets_allow(ending::shut_down, told(ending::completed)).because),
              HasSubstr("told to stop"));
}

TEST(agreement, who_is_not_sure_agrees_with_either) {
  const connection_views reboot{ending::peer_rebooted,
                                told(ending::peer_rebooted, {ending::peer_reset}),
                                {{"client", {said(ending::peer_reset, ending::peer_rebooted)}, {}}}};
  const three_views v = compare({&reboot, 1});
  EXPECT_TRUE(v.agree);
  EXPECT_EQ(v.packets, "peer_rebooted or peer_reset");
  EXPECT_THAT(v.reported, UnorderedElementsAre(Pair("client", "peer_reset or peer_rebooted")));
  EXPECT_FALSE(report_allows(ending::peer_rebooted, said(ending::peer_reset)).agrees);
  EXPECT_FALSE(report_allows(ending::broken_pipe, said(ending::peer_reset, ending::peer_rebooted)).agrees);
}

TEST(agreement, a_fin_that_owed_nothing_is_no_peer_closed_whatever_the_phase) {
  EXPECT_FALSE(report_allows(ending::completed, said(ending::peer_closed, {}, phase::idle)).agrees);
  EXPECT_FALSE(report_allows(ending::shut_down, said(ending::peer_closed, {}, phase::idle)).agrees);
}

TEST(agreement, a_connection_that_has_not_ended_agrees_with_nothing) {
  for (const ending e : all_endings) EXPECT_FALSE(packets_allow(e, trace::story{}).agrees) << to_string(e);
}

TEST(agreement, silence_is_no_agreement) {
  const connection_views mute{ending::peer_reset, told(ending::peer_reset), {{"client", {}, {}}}};
  const three_views v = compare({&mute, 1});
  EXPECT_FALSE(v.agree);
  EXPECT_EQ(in_words(v), "done peer_reset, the packets tell peer_reset, the client reported nothing");
  const connection_views unasked{ending::peer_reset, told(ending::peer_reset), {}};
  EXPECT_FALSE(agree(unasked));
  EXPECT_FALSE(compare({}).agree);
}

TEST(agreement, what_was_never_shown_may_not_be_reported) {
  connection_views hidden{ending::aborted_before_accept,
                          told(ending::aborted_before_accept),
                          {{"server", {}, "the kernel dropped it"}}};
  three_views v = compare({&hidden, 1});
  EXPECT_TRUE(v.agree);
  EXPECT_THAT(v.because, testing::ElementsAre("the kernel dropped it"));
  EXPECT_THAT(v.reported, UnorderedElementsAre(Pair("server", "never shown to the program")));
  hidden.programs[0].lines.push_back(said(ending::aborted_before_accept));
  EXPECT_FALSE(agree(hidden));
}

TEST(agreement, every_connection_and_every_line_must_agree) {
  const connection_views good = views(ending::completed, ending::completed, ending::completed);
  const connection_views bad = views(ending::completed, ending::completed, ending::peer_reset);
  const three_views same = compare(std::vector{good, good});
  EXPECT_TRUE(same.agree);
  EXPECT_EQ(same.packets, "completed");
  const three_views differ = compare(std::vector{good, bad});
  EXPECT_FALSE(differ.agree);
  EXPECT_THAT(differ.reported, UnorderedElementsAre(Pair("client", "completed, peer_reset")));
  connection_views twice = good;
  twice.programs[0].lines.push_back(said(ending::malformed));
  EXPECT_FALSE(agree(twice));
  EXPECT_THAT(in_words(compare({&twice, 1})), Not(HasSubstr("nothing")));
}

}  // namespace
}  // namespace halfopen::situation
