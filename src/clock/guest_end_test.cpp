#include "clock/guest_end.hpp"

#include <gtest/gtest.h>

namespace halfopen::clock {
namespace {

constexpr int exited_0 = 0;
constexpr int killed_by_abort = 6;

guest_fate fate_of(std::string_view status_text, std::string_view console,
                   int wait_status = killed_by_abort) {
  return judge_end(parse_status(status_text), console, wait_status).how;
}

TEST(guest_end, is_the_jobs_own_if_it_says_so) {
  const guest_end end = judge_end(parse_status("started\nexit 3 5000\n"), "Core dump limits :", exited_0);
  EXPECT_EQ(end.how, guest_fate::done);
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(end.guest_time, std::chrono::nanoseconds(5000));
}

TEST(guest_end, has_its_name_from_what_the_kernel_said) {
  EXPECT_EQ(fate_of("started\n",
                    "<0>Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled\n"),
            guest_fate::out_of_memory);
  EXPECT_EQ(fate_of("started\n", "<3>Out of memory: Killed process 12 (python3)\n"),
            guest_fate::out_of_memory);
  EXPECT_EQ(fate_of("started\n",
                    "<0>Kernel panic - not syncing: The system was going to sleep forever, aborting\n"),
            guest_fate::waits_for_ever);
  EXPECT_EQ(fate_of("started\n", "Kernel panic - not syncing: Attempted to kill init!"),
            guest_fate::panicked);
  EXPECT_EQ(fate_of("started\n", ""), guest_fate::died);
  EXPECT_EQ(fate_of("failed starting nothing: No such file or directory\nexit 127 1\n", "", exited_0),
            guest_fate::job_failed);
}

TEST(guest_end, quotes_the_kernel) {
  const guest_end end = judge_end(parse_status("started\n"),
                                  "a\nKernel panic - not syncing: no good\n<4> more\n", killed_by_abort);
  EXPECT_EQ(end.detail, "no good");
  EXPECT_NE(in_words(end).find("panicked"), std::string::npos);
  EXPECT_NE(in_words(end).find("no good"), std::string::npos);
  const guest_end died = judge_end({}, "first\nlast words\n", killed_by_abort);
  EXPECT_EQ(died.detail, "signal 6; its last words: last words");
}

TEST(guest_end, that_stood_still_says_what_to_do) {
  guest_end end;
  end.how = guest_fate::stood_still;
  end.guest_time = std::chrono::milliseconds(1500);
  EXPECT_NE(in_words(end).find("1.500 s"), std::string::npos);
  EXPECT_NE(in_words(end).find("--clock real"), std::string::npos);
}

}  // namespace
}  // namespace halfopen::clock
