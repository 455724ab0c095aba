#include "judge/case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "judge/torture.hpp"

namespace halfopen::judge {
namespace {

std::vector<std::string_view> ids(std::string_view pattern) {
  std::vector<std::string_view> found;
  for (const judge_case* c : find_cases(pattern, all_cases())) found.push_back(c->id);
  return found;
}

TEST(find_cases, an_id_is_that_case_alone) {
  EXPECT_THAT(ids("exit/1"), testing::ElementsAre("exit/1"));
}

TEST(find_cases, a_family_is_all_its_cases) {
  EXPECT_EQ(ids("crash"), ids("crash/*"));
  EXPECT_THAT(ids("crash"), testing::Contains("crash/10"));
}

TEST(find_cases, patterns_are_those_of_the_shell) {
  EXPECT_THAT(ids("exit/[12]"), testing::ElementsAre("exit/1", "exit/2"));
  EXPECT_THAT(ids("crash/?"), testing::Not(testing::Contains("crash/10")));
  EXPECT_EQ(ids("*").size(), all_cases().size());
}

TEST(find_cases, what_fits_nothing_gives_nothing) {
  for (const char* none : {"", "exit/", "exit/99", "EXIT", "cras", "/1"})
    EXPECT_TRUE(ids(none).empty()) << none;
}

TEST(find_cases, a_place_of_a_torture_needs_no_family) {
  const std::vector<const judge_case*> places{&case_at({loss::kill, subject::server, false, 7}),
                                              &case_at({loss::cut, subject::client, false, 7})};
  EXPECT_EQ(find_cases("kill-*", places).size(), 1U);
  EXPECT_EQ(find_cases("torture/cut-client@7", places).size(), 1U);
  EXPECT_EQ(find_cases("*@7", places).size(), 2U);
}

TEST(parse_case_at, a_request_and_a_connection_have_ids_of_their_own) {
  const auto what = [](std::string_view id) {
    const judge_case* c = parse_case_at(id);
    return c == nullptr
               ? std::string("none")
               : std::string(c->id) + " " + std::to_string(c->request) + " " + std::to_string(c->connection);
  };
  EXPECT_EQ(what("exit/6@2"), "exit/6@2 2 0");
  EXPECT_EQ(what("exit/6@c2"), "exit/6@c2 0 2");
  EXPECT_EQ(what("exit/6@1@c2"), "exit/6@1@c2 1 2");
  EXPECT_EQ(what("exit/5@c3"), "exit/5@c3 0 3");
  for (const char* none :
       {"exit/6", "exit/6@", "exit/6@0", "exit/6@c", "exit/6@c0", "exit/6@c1@c2", "exit/6@c2@1", "exit/1@c2",
        "exit/5@2", "connect/2@c1", "nothing/1@c1", "@c1", "a@b/1"})
    EXPECT_EQ(what(none), "none") << none;
  EXPECT_NE(std::string(parse_case_at("exit/6@c2")->done).find("(connection 2)"), std::string::npos);
}

TEST(catalogue, ids_are_unique_and_say_their_family) {
  std::set<std::string_view> seen;
  for (const family* f : catalogue())
    for (const judge_case& c : f->cases) {
      EXPECT_TRUE(seen.insert(c.id).second) << c.id;
      EXPECT_EQ(family_of(c.id), f) << c.id;
      EXPECT_FALSE(c.done.empty()) << c.id;
      EXPECT_FALSE(c.rule.empty()) << c.id;
    }
  EXPECT_EQ(family_of("nothing/1"), nullptr);
}

}  // namespace
}  // namespace halfopen::judge
