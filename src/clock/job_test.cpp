#include "clock/job.hpp"

#include <gtest/gtest.h>

namespace halfopen::clock {
namespace {

TEST(job, survives_its_text_whatever_bytes_it_has) {
  job j;
  j.argv = {"program", "", "two words", "line\nend", "\xff\xfe not UTF-8", "\"quoted\""};
  j.environment = {"A=1", "B=x=y", "C="};
  j.directory = "/a folder/\xe4";
  j.writable = {"/tmp/x y", "/home/\xc3\xa4"};
  j.host_name = "lab";
  const auto read = parse_job(to_text(j));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->argv, j.argv);
  EXPECT_EQ(read->environment, j.environment);
  EXPECT_EQ(read->directory, j.directory);
  EXPECT_EQ(read->writable, j.writable);
  EXPECT_EQ(read->host_name, j.host_name);
}

TEST(job, that_is_none_is_refused) {
  EXPECT_FALSE(parse_job(""));
  EXPECT_FALSE(parse_job("{}"));
  EXPECT_FALSE(parse_job("[1,2]"));
  EXPECT_FALSE(parse_job(to_text(job{})));  // no program
}

TEST(job, here_has_this_environment_and_folder) {
  ::setenv("HALFOPEN_JOB_TEST", "yes", 1);
  const job j = job_here({"true"});
  EXPECT_NE(std::find(j.environment.begin(), j.environment.end(), "HALFOPEN_JOB_TEST=yes"),
            j.environment.end());
  EXPECT_EQ(j.directory, std::filesystem::current_path());
  EXPECT_FALSE(j.host_name.empty());
}

TEST(status, is_read_line_by_line_as_it_grows) {
  EXPECT_FALSE(parse_status("").started);
  EXPECT_FALSE(parse_status("start").started);
  EXPECT_TRUE(parse_status("started\n").started);
  EXPECT_FALSE(parse_status("started\nexit 7 12").ended);  // the line may go on
  const status done = parse_status("started\nexit 137 3600000000001\n");
  EXPECT_TRUE(done.ended);
  EXPECT_EQ(done.code, 137);
  EXPECT_EQ(done.time, std::chrono::nanoseconds(3'600'000'000'001));
  EXPECT_EQ(parse_status("failed mounting proc: EPERM\n").failure, "mounting proc: EPERM");
}

}  // namespace
}  // namespace halfopen::clock
