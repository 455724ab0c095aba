#include "judge/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "judge/case.hpp"
#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using samples::pair;
using samples::result;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> ids(const judgement& j) {
  std::vector<std::string> all;
  for (const case_result& r : j.results) all.push_back(r.id);
  return all;
}

TEST(document, is_read_back) {
  const std::vector<judgement> pairs{pair("a", {samples::full()}), pair("b", {})};
  const std::string text = to_json_document(pairs, "1.2.3");
  const auto back = from_json_document(text);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(to_json_document(*back, "1.2.3"), text);
  EXPECT_EQ((*back)[0].repeat, "halfopen test --server s --client c");
}

TEST(document, what_is_none_is_refused_with_a_sentence) {
  EXPECT_THAT(from_json_document("{\"pairs\": [").error(), HasSubstr("no JSON: byte 12"));
  EXPECT_THAT(from_json_document("").error(), HasSubstr("no JSON"));
  for (
      const char* other :
      {R"({"schema": 2})", "[]", "3", R"({"schema": 2, "pairs": 3})", R"({"schema": 2, "pairs": [{}]})",
       R"({"schema": 2, "pairs": [{"cases": [{"id": "x", "subject": "client", "verdict": "?"}]}]})",
       R"({"schema": 2, "pairs": [{"cases": [{"id": "x", "subject": "client", "verdict": "pass", "took_ms": 4e80}]}]})"})
    EXPECT_THAT(from_json_document(other).error(), HasSubstr("no report of halfopen test")) << other;
}

TEST(document, of_another_schema_is_refused_rather_than_read_wrongly) {
  for (const char* other :
       {R"({"pairs": []})", R"({"schema": 1, "pairs": []})", R"({"schema": 3, "pairs": []})"})
    EXPECT_THAT(from_json_document(other).error(), HasSubstr("another version")) << other;
}

TEST(document, hostile_bytes_become_harmless_json) {
  const std::vector<judgement> pairs{samples::hostile_pair()};
  const std::string text = to_json_document(pairs, "1");
  const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\n'); };
  EXPECT_TRUE(std::ranges::none_of(text, is_control));
  ASSERT_TRUE(from_json_document(text));
}

TEST(document, the_kept_corpus_of_the_fuzzer_is_read_or_refused) {
  std::size_t read = 0;
  std::size_t refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HALFOPEN_JUDGE_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const auto pairs = from_json_document({std::istreambuf_iterator<char>(file), {}});
    if (!pairs) {
      ++refused;
      continue;
    }
    ++read;
    EXPECT_NE(to_html(*pairs), "") << entry.path();
    EXPECT_NE(to_junit(*pairs, true), "") << entry.path();
  }
  EXPECT_GE(read, 3U);
  EXPECT_GE(refused, 3U);
}

TEST(merge, shards_of_a_pair_become_one_in_the_catalogues_order) {
  auto merged = merge({pair("a", {result("exit/2", verdict::pass), result("crash/10", verdict::pass)}),
                       pair("a", {result("crash/2", verdict::pass), result("exit/1", verdict::fail)})});
  ASSERT_EQ(merged.size(), 1U);
  EXPECT_THAT(ids(merged[0]), ElementsAre("exit/1", "exit/2", "crash/2", "crash/10"));
}

TEST(merge, other_commands_clocks_and_versions_of_ip_are_other_pairs) {
  judgement other_clock = pair("a", {});
  other_clock.clock = "virtual";
  judgement other_ip = pair("a", {});
  other_ip.ip_version = 6;
  judgement other_client = pair("a", {});
  other_client.client_command = "another";
  EXPECT_EQ(merge({pair("a", {}), pair("b", {}), other_clock, other_ip, other_client, pair("a", {})}).size(),
            5U);
}

TEST(merge, shards_of_a_system_are_joined_and_other_hosts_are_another_system) {
  auto tenth = samples::outage_of_db();
  tenth.id = "outage/10@app-db";
  auto other = samples::system_of("s", {});
  other.hosts[0].command = "exec another";
  const auto merged =
      merge({samples::system_of("s", {tenth}), other, samples::system_of("s", {samples::outage_of_db()})});
  ASSERT_EQ(merged.size(), 2U);
  EXPECT_THAT(ids(merged[0]), ElementsAre("outage/3@app-db", "outage/10@app-db")) << "the catalogue's order";
}

TEST(merge, a_case_played_twice_keeps_its_worse_verdict) {
  const auto kept = [](verdict first, verdict second) {
    return merge({pair("a", {result("exit/1", first)}), pair("a", {result("exit/1", second)})})[0]
        .results.at(0)
        .verdict;
  };
  EXPECT_EQ(kept(verdict::pass, verdict::fail), verdict::fail);
  EXPECT_EQ(kept(verdict::fail, verdict::pass), verdict::fail);
  EXPECT_EQ(kept(verdict::inconclusive, verdict::warn), verdict::warn);
  EXPECT_EQ(kept(verdict::pass, verdict::inconclusive), verdict::inconclusive);
  EXPECT_EQ(kept(verdict::not_applicable, verdict::pass), verdict::pass);
}

TEST(merge, remarks_are_kept_once_and_unknown_cases_come_last) {
  judgement first = pair("a", {result("future/1", verdict::pass)});
  first.remarks = {"one"};
  judgement second = pair("a", {result("exit/1", verdict::pass)});
  second.remarks = {"one", "two"};
  const auto merged = merge({first, second});
  EXPECT_THAT(merged[0].remarks, ElementsAre("one", "two"));
  EXPECT_THAT(ids(merged[0]), ElementsAre("exit/1", "future/1"));
}

TEST(merge, shards_that_are_not_all_there_are_interrupted) {
  using samples::interrupted_pair;
  judgement whole = pair("a", {result("crash/1", verdict::pass), result("crash/2", verdict::pass)});
  whole.planned = 2;
  const auto merged = merge({interrupted_pair("a", {result("exit/1", verdict::pass)}, 4), whole})[0];
  EXPECT_TRUE(merged.interrupted);
  EXPECT_EQ(merged.planned, 6U);
  EXPECT_EQ(merged.results.size(), 3U);
  EXPECT_FALSE(merge({whole, pair("a", {})})[0].interrupted);
}

TEST(merge, shards_know_which_of_them_are_missing) {
  const auto shard = [](std::size_t index, std::size_t of, const char* id) {
    judgement j = pair("a", {result(id, verdict::pass)});
    j.shards = {of, {index}};
    return j;
  };
  const auto two = merge({shard(5, 6, "exit/5"), shard(2, 6, "exit/2"), shard(2, 6, "exit/2")})[0];
  EXPECT_THAT(two.shards.missing(), ElementsAre(1U, 3U, 4U, 6U));
  EXPECT_EQ(two.results.size(), 2U);
  EXPECT_TRUE(merge({shard(1, 2, "exit/1"), shard(2, 2, "exit/2")})[0].shards.missing().empty());
  const auto other_division = merge({shard(1, 2, "exit/1"), shard(2, 3, "exit/2")})[0];
  EXPECT_TRUE(other_division.shards.missing().empty());
  EXPECT_EQ(other_division.remarks.size(), 1U);
  EXPECT_TRUE(
      merge({shard(1, 2, "exit/1"), pair("a", {result("exit/2", verdict::pass)})})[0].remarks.empty());
}

TEST(merge, what_one_did_not_come_to_another_has_played) {
  using samples::interrupted_pair;
  judgement whole = pair("a", {result("exit/1", verdict::fail), result("exit/2", verdict::pass)});
  whole.planned = 2;
  const judgement begun = interrupted_pair("a", {result("exit/1", verdict::pass)}, 2);
  for (const auto& parts : {std::vector{begun, whole}, std::vector{whole, begun}}) {
    const auto merged = merge(parts)[0];
    EXPECT_FALSE(merged.interrupted);
    EXPECT_EQ(merged.planned, 2U);
  }
  judgement all = pair("a", {});
  for (const judge_case* c : all_cases()) all.results.push_back(result(std::string(c->id), verdict::pass));
  all.planned = all.results.size();
  const auto merged = merge({interrupted_pair("a", {}, all.planned), all})[0];
  EXPECT_FALSE(merged.interrupted) << "there are no more cases than those of the catalogue";
}

TEST(merge, who_was_interrupted_and_does_not_say_of_how_many_stays_so) {
  using samples::interrupted_pair;
  judgement whole = pair("a", {result("exit/2", verdict::pass)});
  whole.planned = 1;
  const auto merged = merge({interrupted_pair("a", {result("exit/1", verdict::pass)}, 0), whole})[0];
  EXPECT_TRUE(merged.interrupted);
  EXPECT_EQ(merged.planned, 0U);
}

}  // namespace
}  // namespace halfopen::judge
