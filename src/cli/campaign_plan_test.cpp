#include "cli/campaign_plan.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "cli/usage_error.hpp"

namespace halfopen::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST(share_out, by_what_each_costs_and_one_at_least) {
  EXPECT_THAT(share_out({{"a", 90s}, {"b", 10s}}, 10), ElementsAre(9U, 1U));
  EXPECT_THAT(share_out({{"a", 1s}, {"b", 1s}, {"c", 100s}}, 2), ElementsAre(1U, 1U, 1U));
  EXPECT_THAT(share_out({{"a", {}}, {"b", {}}}, 4), ElementsAre(2U, 2U));
}

TEST(share_out, what_is_not_known_counts_as_the_mean) {
  EXPECT_THAT(share_out({{"a", 10s}, {"b", {}}, {"c", 10s}}, 6), ElementsAre(2U, 2U, 2U));
}

class plan : public testing::Test {
 protected:
  std::string file_ = testing::TempDir() + "plan.jsonl";
  void write(const std::string& text) { std::ofstream(file_) << text; }
  campaign_job first_{1, "/a b", {"test", "--env", "X=\"y\"\n"}, "/r/1.json", 1500ms};
};

TEST_F(plan, a_line_is_read_back_as_it_was) {
  write(to_line(first_));
  const auto jobs = read_plan(file_);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].number, 1U);
  EXPECT_EQ(jobs[0].folder, first_.folder);
  EXPECT_EQ(jobs[0].arguments, first_.arguments);
  EXPECT_EQ(jobs[0].report, first_.report);
  EXPECT_EQ(jobs[0].cost, first_.cost);
}

TEST_F(plan, what_is_none_is_refused_with_its_line) {
  for (const char* text :
       {"", "x\n", "{}\n", "[1]\n",
        "{\"job\":2,\"folder\":\"\",\"arguments\":[],\"report\":\"\",\"cost_ms\":0}\n",
        "{\"job\":\"1\",\"folder\":\"\",\"arguments\":[],\"report\":\"\",\"cost_ms\":0}\n"}) {
    write(text);
    EXPECT_THROW((void)read_plan(file_), usage_error) << text;
  }
  write(to_line(first_) + "x\n");
  try {
    (void)read_plan(file_);
    FAIL();
  } catch (const usage_error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("plan.jsonl:2: "));
  }
  EXPECT_THROW((void)read_plan("/nowhere"), usage_error);
}

TEST_F(plan, a_job_is_done_when_its_whole_report_is_there) {
  first_.report = testing::TempDir() + "report.json";
  std::filesystem::remove(first_.report);
  EXPECT_FALSE(is_done(first_));
  for (const auto& [text, done] :
       {std::pair{"{", false},
        {R"({"schema":2,"halfopen":"0","pairs":[{"cases":[],"interrupted":true}]})", false},
        {R"({"schema":2,"halfopen":"0","pairs":[{"cases":[]}]})", true}}) {
    std::ofstream(first_.report) << text;
    EXPECT_EQ(is_done(first_), done) << text;
  }
}

}  // namespace
}  // namespace halfopen::cli
