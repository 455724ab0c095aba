#include "report/terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace halfopen::report {
namespace {

/// A pseudo-terminal of 123 columns; NO_COLOR and COLUMNS unset, TERM sensible.
class terminal : public ::testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("NO_COLOR");
    ::unsetenv("COLUMNS");
    ::setenv("TERM", "xterm", 1);
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) GTEST_SKIP() << "no pty here";
    tty_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    ASSERT_GE(tty_, 0);
    const winsize size{.ws_row = 24, .ws_col = 123, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(::ioctl(tty_, TIOCSWINSZ, &size), 0);
    ASSERT_EQ(::pipe(pipe_), 0);
  }
  void TearDown() override {
    for (const int fd : {master_, tty_, pipe_[0], pipe_[1]})
      if (fd >= 0) ::close(fd);
  }

  int master_ = -1;
  int tty_ = -1;
  int pipe_[2] = {-1, -1};
};

TEST_F(terminal, a_terminal_knows_its_width_and_a_pipe_does_not) {
  EXPECT_TRUE(is_terminal(tty_));
  EXPECT_EQ(terminal_width(tty_), 123U);
  EXPECT_FALSE(is_terminal(pipe_[1]));
  EXPECT_EQ(terminal_width(pipe_[1]), 80U);
  EXPECT_FALSE(is_terminal(-1));
}

TEST_F(terminal, columns_from_the_environment_are_for_those_without_a_terminal) {
  ::setenv("COLUMNS", "160", 1);
  EXPECT_EQ(terminal_width(pipe_[1]), 160U);
  EXPECT_EQ(terminal_width(tty_), 123U);
  for (const char* nonsense : {"", "0", "12x", "-5", "99999999999999999999999"}) {
    ::setenv("COLUMNS", nonsense, 1);
    EXPECT_EQ(terminal_width(pipe_[1]), 80U) << nonsense;
  }
}

TEST_F(terminal, colour_only_where_it_is_seen_and_not_unwanted) {
  EXPECT_TRUE(wants_colour(tty_));
  EXPECT_FALSE(wants_colour(pipe_[1]));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(wants_colour(tty_));
  ::setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(wants_colour(tty_)) << "an empty NO_COLOR does not count";
  for (const char* kind : {"dumb", ""}) {
    ::setenv("TERM", kind, 1);
    EXPECT_FALSE(wants_colour(tty_)) << kind;
  }
  ::unsetenv("TERM");
  EXPECT_FALSE(wants_colour(tty_));
}

TEST_F(terminal, a_line_is_written_over_where_the_terminal_can_do_that) {
  EXPECT_TRUE(can_rewrite(tty_));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_TRUE(can_rewrite(tty_)) << "which takes no escape sequence";
  EXPECT_FALSE(can_rewrite(pipe_[1]));
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(can_rewrite(tty_));
  ::unsetenv("TERM");
  EXPECT_FALSE(can_rewrite(tty_));
}

TEST(paint, wraps_the_text_in_one_sequence_and_resets) {
  EXPECT_EQ(painted("x", colour::red), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(painted("x", colour::cyan), "\x1b[36mx\x1b[0m");
  EXPECT_EQ(painted("x", colour::bold), "\x1b[1mx\x1b[0m");
  EXPECT_EQ(painted("x", colour::none), "x");
  EXPECT_EQ(painted("", colour::red), "");
}

}  // namespace
}  // namespace halfopen::report
