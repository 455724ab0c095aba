#include "judge/roles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

/// Connections on which the client says these, each answered with "ok".
recording said_on(const std::vector<std::vector<std::string>>& said) {
  recording r;
  for (const auto& requests : said) {
    recorded_connection& c = r.connections.emplace_back();
    for (const std::string& request : requests) {
      c.turns.push_back({speaker::client, request, {}, {}});
      c.turns.push_back({speaker::server, "ok", {}, {}});
    }
  }
  return r;
}

std::vector<std::optional<std::size_t>> roles(const recording& r, const std::vector<std::string>& said) {
  return roles_of(said_by_client(r), said);
}

TEST(roles, they_are_told_by_what_is_said) {
  const recording r = said_on({{"a"}, {"b"}, {"c"}});
  EXPECT_THAT(roles(r, {"c", "a", "b"}), ElementsAre(Optional(2U), Optional(0U), Optional(1U)));
}

TEST(roles, while_nothing_is_said_the_order_tells) {
  const recording r = said_on({{"a"}, {"b"}});
  EXPECT_THAT(roles(r, {"", ""}), ElementsAre(Optional(0U), Optional(1U)));
  EXPECT_THAT(roles(r, {"b", ""}), ElementsAre(Optional(1U), Optional(0U)));
}

TEST(roles, where_nothing_fits_the_order_tells) {
  EXPECT_THAT(roles(said_on({{"a"}, {"b"}}), {"x", "y"}), ElementsAre(Optional(0U), Optional(1U)));
  EXPECT_THAT(roles(said_on({{}, {"b"}}), {"b", "y"}), ElementsAre(Optional(1U), Optional(0U)));
}

TEST(roles, a_part_is_given_up_for_who_has_no_other) {
  // The first fits both, the second but the first's.
  const recording r = said_on({{"hello", "a"}, {"hello", "b"}});
  EXPECT_THAT(roles(r, {"hello", "helloa"}), ElementsAre(Optional(1U), Optional(0U)));
  EXPECT_THAT(roles(r, {"hello", "hello"}), ElementsAre(Optional(0U), Optional(1U)));
}

TEST(roles, there_are_no_more_than_were_recorded) {
  EXPECT_THAT(roles(said_on({{"a"}}), {"a", "a"}), ElementsAre(Optional(0U), std::nullopt));
  EXPECT_THAT(roles(said_on({{"a"}}), {"", "a"}), ElementsAre(std::nullopt, Optional(0U)));
}

TEST(roles, a_recording_can_be_told_by_first_words_or_not) {
  EXPECT_TRUE(told_apart_by_first_words(said_on({{"a"}})));
  EXPECT_TRUE(told_apart_by_first_words(said_on({{"a"}, {"b"}})));
  EXPECT_TRUE(told_apart_by_first_words(said_on({{"hello", "a"}, {"hello", "a"}})));
  EXPECT_FALSE(told_apart_by_first_words(said_on({{"hello", "a"}, {"hello", "b"}})));
  EXPECT_FALSE(told_apart_by_first_words(said_on({{"a"}, {}})));  // nothing is the beginning of all
}

TEST(roles, two_runs_share_out_alike_or_not) {
  EXPECT_TRUE(share_out_alike(said_on({{"a"}, {"b", "c"}}), said_on({{"b", "c"}, {"a"}})));
  EXPECT_FALSE(share_out_alike(said_on({{"a"}, {"b", "c"}}), said_on({{"a", "c"}, {"b"}})));
  EXPECT_FALSE(share_out_alike(said_on({{"a"}}), said_on({{"a"}, {"a"}})));
  // Nonces, as long each time.
  EXPECT_TRUE(share_out_alike(said_on({{"12345"}, {"x"}}), said_on({{"6789"}, {"y"}})));
  EXPECT_FALSE(share_out_alike(said_on({{std::string(100, 'a')}}), said_on({{"b"}})));
}

TEST(roles, another_run_is_put_in_order) {
  const recording sorted = in_order_of(said_on({{"a"}, {"b"}}), said_on({{"b"}, {"a"}}));
  EXPECT_EQ(sorted.connections[0].turns[0].bytes, "a");
  EXPECT_EQ(sorted.connections[1].turns[0].bytes, "b");
  EXPECT_EQ(in_order_of(said_on({{"a"}}), said_on({{"b"}, {"a"}})).connections[0].turns[0].bytes, "b");
}

}  // namespace
}  // namespace halfopen::judge
