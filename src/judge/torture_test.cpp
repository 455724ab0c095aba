#include "judge/torture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace halfopen::judge {
namespace {

TEST(place, is_written_and_read) {
  for (const place& p : all_places(3, 2)) EXPECT_EQ(parse_place(id_of(p)), p) << id_of(p);
  EXPECT_EQ(parse_place("kill-server@7"), (place{loss::kill, subject::server, false, 7}));
  EXPECT_EQ(parse_place("torture/cut-server@b0"), (place{loss::cut, subject::server, true, 0}));
}

TEST(place, what_is_none_is_not_read) {
  for (const place& p : all_places_again(5)) EXPECT_EQ(parse_place(id_of(p) + "@app-db"), p) << id_of(p);
  EXPECT_EQ(parse_place("kill-again@7"), (place{loss::kill, subject::server, false, 7, true}));
  EXPECT_EQ(without_link("kill-again@7@app-db"),
            (std::pair<std::string_view, std::string_view>("kill-again@7", "app-db")));
  EXPECT_EQ(without_link("kill-again@7").second, "");
  for (const char* none :
       {"reboot-again@7", "kill-again@b7", "", "torture/", "kill-server", "kill-server@", "kill-server@0",
        "kill-server@-1", "kill-server@1x", "kill-server@b", "kill-client@b3", "burn-server@1", "kill-host@1",
        "@kill-server", "exit/6", "kill-server@99999999999999999999999"})
    EXPECT_FALSE(parse_place(none)) << none;
}

TEST(all_places, of_a_service_a_reset_needs_a_connection) {
  EXPECT_EQ(all_places_again(10).size(), 3U * 10 + 7);
  EXPECT_TRUE(all_places_again(0).empty());
  const judge_case& c = on_link(case_at({loss::crash, subject::server, false, 4, true}), "app", "db");
  EXPECT_EQ(c.id, "torture/crash-again@4@app-db");
  EXPECT_EQ(c.subject, subject::service);
  EXPECT_EQ(c.outage->again->how, outage::vanished);
  EXPECT_EQ(c.outage->again->at, 4U);
  EXPECT_THAT(std::string(c.done), testing::HasSubstr("the host of db vanishes at packet 4"));
}

TEST(all_places, each_loss_of_either_peer_at_each_packet_and_of_the_server_at_each_byte) {
  EXPECT_EQ(all_places(7, {}).size(), 5U * 2 * 7);
  EXPECT_EQ(all_places(7, 0).size(), 5U * 2 * 7 + 5);
  EXPECT_EQ(all_places(7, 10).size(), 5U * 2 * 7 + 5U * 11);
}

TEST(case_at, judges_the_other_one_and_has_an_id_that_stays) {
  const judge_case& of_client = case_at({loss::kill, subject::server, false, 7});
  EXPECT_EQ(of_client.subject, subject::client);
  for (std::size_t i = 1; i < 1000; ++i) (void)case_at({loss::crash, subject::client, false, i});
  EXPECT_EQ(of_client.id, "torture/kill-server@7");
  EXPECT_EQ(&case_at({loss::kill, subject::server, false, 7}), &of_client);
}

TEST(sample, keeps_the_order_and_depends_on_the_seed_alone) {
  std::vector<const judge_case*> all;
  for (const place& p : all_places(100, {})) all.push_back(&case_at(p));
  const auto some = sample(all, 20, 1);
  ASSERT_EQ(some.size(), 20U);
  EXPECT_EQ(some, sample(all, 20, 1));
  EXPECT_NE(some, sample(all, 20, 2));
  std::size_t last = 0;
  for (const judge_case* c : some) {
    const auto at = static_cast<std::size_t>(std::ranges::find(all, c) - all.begin());
    EXPECT_LE(last, at);
    last = at;
  }
  EXPECT_EQ(sample(all, 5000, 1), all);
}

case_result result_at(loss how, std::size_t packet, verdict v, std::string happened) {
  case_result r;
  r.id = id_of({how, subject::server, false, packet});
  r.verdict = v;
  r.happened = std::move(happened);
  return r;
}

TEST(stretches, end_where_the_outcome_changes) {
  const std::vector<case_result> results{
      result_at(loss::kill, 1, verdict::pass, "reported: exit 1 after 3 ms"),
      result_at(loss::kill, 2, verdict::pass, "reported: exit 1 after 12 ms, and says: oh"),
      result_at(loss::kill, 3, verdict::fail, "false success: exit 0 after 3 ms"),
      result_at(loss::kill, 4, verdict::pass, "reported: exit 1 after 3 ms"),
      result_at(loss::reset, 5, verdict::pass, "reported: exit 1 after 3 ms"),
  };
  std::vector<std::size_t> places;
  for (const stretch& s : stretches_of(results)) places.push_back(s.places);
  EXPECT_THAT(places, testing::ElementsAre(2, 1, 1, 1));
  EXPECT_EQ(stretches_of(results)[1].first, &results[2]);
}

}  // namespace
}  // namespace halfopen::judge
