#include "judge/system/system.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace halfopen::judge {
namespace {

system usual() {
  system s;
  s.hosts = {{.name = "app", .command = "run-app", .needs = {"db", "cache"}},
             {.name = "db", .command = "run-db"},
             {.name = "cache", .command = "run-cache", .needs = {"db"}, .judged = false}};
  s.ask.probe = "ask";
  return s;
}

std::string problem(const system& s) {
  return problem_of(s).value_or("");
}

TEST(system, links_are_of_judged_hosts_in_the_order_of_the_file) {
  EXPECT_EQ(problem(usual()), "");
  EXPECT_EQ(usual().links(), (std::vector<link>{{"app", "db"}, {"app", "cache"}}));
}

TEST(system, hosts_start_after_what_they_need) {
  std::string order;
  const system s = usual();
  for (const system_host* h : s.start_order()) order += h->name + " ";
  EXPECT_EQ(order, "db cache app ");
}

TEST(system, what_cannot_be_played_is_said_with_what_to_do) {
  const auto with = [](auto change) {
    system s = usual();
    change(s);
    return problem(s);
  };
  EXPECT_TRUE(with([](system& s) { s.hosts.clear(); }).contains("there is no host"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].name = "Db"; }).contains("small letters"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].name = ""; }).contains("small letters"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].name = "user"; }).contains("lab's own"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].name = "db-spare"; }).contains("needs 'db'"));
  EXPECT_TRUE(
      with([](system& s) { s.hosts.push_back({.name = "db-spare", .command = "x"}); }).contains("lab's own"));
  EXPECT_TRUE(with([](system& s) { s.hosts[2].name = "db"; }).contains("twice"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].command = ""; }).contains("no command"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].ready = "("; }).contains("regular expression"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].environment = {"=x"}; }).contains("NAME=VALUE"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].needs = {"db"}; }).contains("needs itself"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].needs = {"app"}; }).contains("circle"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].needs = {"nobody"}; }).contains("no such host"));
  EXPECT_TRUE(with([](system& s) { s.hosts[1].serves = false; }).contains("serves nobody"));
  EXPECT_TRUE(with([](system& s) { s.hosts[0].judged = false; }).contains("no host that is judged"));
  EXPECT_TRUE(with([](system& s) { s.ask.probe = ""; }).contains("no probe"));
  EXPECT_TRUE(with([](system& s) { s.hosts.resize(50, s.hosts[1]); }).contains("more than 40"));
  EXPECT_TRUE(with([](system& s) {
                s.hosts.push_back({.name = "app-db", .command = "x", .needs = {"c"}});
                s.hosts.push_back({.name = "db-c", .command = "x"});
                s.hosts.push_back({.name = "c", .command = "x"});
                s.hosts[0].needs.emplace_back("db-c");
              }).contains("two links"));
}

TEST(system, it_goes_through_json) {
  system s = usual();
  s.hosts[1].port = 5432;
  s.hosts[1].ready = "up";
  s.hosts[0].restart = true;
  s.hosts[2].serves = false;
  s.environment = {"A=b"};
  s.ip = lab::ip_version::v6;
  s.recover = milliseconds(1234);
  const nlohmann::json j = s;
  EXPECT_EQ(nlohmann::json(j.get<system>()), j);
}

TEST(system, a_first_look_is_shorter_than_the_limit) {
  system s;
  EXPECT_EQ(s.patience(), s.limit);
  s.first_look = milliseconds(5000);
  EXPECT_EQ(s.patience(), s.first_look);
  s.limit = milliseconds(1000);
  EXPECT_EQ(s.patience(), s.limit);
}

}  // namespace
}  // namespace halfopen::judge
