#include "cli/clock_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/repeat_command.hpp"
#include "cli/usage_error.hpp"

namespace halfopen::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::sys_days day = 2026y / 11 / 27;

TEST(date, is_a_day_of_the_calendar) {
  EXPECT_EQ(parse_date("2026-11-27"), day);
  EXPECT_EQ(parse_date("1970-01-01"), std::chrono::sys_days{});
  EXPECT_TRUE(parse_date("2199-12-31"));
  EXPECT_TRUE(parse_date("2028-02-29"));
  for (const char* none : {"", "2026", "2026-11", "2026-11-", "2026-11-2", "2026-11-271", "2026-11-27 ",
                           "26-11-27", "2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026/11/27",
                           "-026-11-27", "2026--1-27", "1969-12-31", "2200-01-01", "tomorrow"})
    EXPECT_FALSE(parse_date(none)) << none;
}

TEST(guests, begin_alike_on_all_of_a_day_and_after_all_that_was_made_on_it) {
  const guest_arguments none;
  const auto begins = beginning(none, day + 1ns);
  EXPECT_EQ(begins, day + 24h - 1s);
  EXPECT_EQ(beginning(none, day), begins);
  EXPECT_EQ(beginning(none, day + 24h - 1ns), begins);
  EXPECT_EQ(beginning(none, day + 24h), begins + 24h);
}

TEST(guests, begin_at_midnight_of_a_date) {
  guest_arguments arguments;
  arguments.date = day;
  EXPECT_EQ(beginning(arguments, day + 1000h), day);
  EXPECT_EQ(options_of(arguments).begins, day);
}

class date_option : public testing::Test {
 protected:
  void SetUp() override { add_guest_options(verb, arguments); }
  void say(std::vector<std::string> words) {
    std::ranges::reverse(words);
    app.parse(words);
  }

  CLI::App app;
  CLI::App& verb = *app.add_subcommand("test");
  guest_arguments arguments;
};

TEST_F(date_option, is_taken_and_repeated) {
  say({"test", "--date", "2026-11-27"});
  EXPECT_EQ(arguments.date, day);
  EXPECT_EQ(repeat_command(verb, "halfopen", {}), "halfopen test --date 2026-11-27");
}

TEST_F(date_option, is_not_repeated_if_nobody_gave_it) {
  say({"test"});
  EXPECT_FALSE(arguments.date);
  EXPECT_THAT(repeat_command(verb, "halfopen", {}), Not(HasSubstr("date")));
}

TEST_F(date_option, that_is_none_is_refused_with_an_example) {
  try {
    say({"test", "--date", "27.11.2026"});
    FAIL();
  } catch (const CLI::ValidationError& e) {
    EXPECT_THAT(e.what(), HasSubstr("--date: '27.11.2026' is no day"));
    EXPECT_THAT(e.what(), HasSubstr("2026-02-28"));
  }
}

TEST_F(date_option, is_refused_with_the_real_clock) {
  EXPECT_NO_THROW(check_date(arguments, "real"));
  arguments.date = day;
  EXPECT_NO_THROW(check_date(arguments, "virtual"));
  EXPECT_THROW(check_date(arguments, "real"), usage_error);
}

}  // namespace
}  // namespace halfopen::cli
