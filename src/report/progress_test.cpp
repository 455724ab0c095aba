#include "report/progress.hpp"

#include <gtest/gtest.h>

#include <string>

namespace halfopen::report {
namespace {

using std::chrono::milliseconds;

class progress_test : public ::testing::Test {
 protected:
  progress make(bool live, std::size_t width, std::size_t total) {
    return progress{[this](std::string_view text) { out_ += text; },
                    {.live = live, .width = width, .total = total, .now = [this] { return now_; }}};
  }
  std::string taken() { return std::exchange(out_, {}); }

  std::string out_;
  progress::clock::time_point now_{std::chrono::seconds{1000}};
};

TEST_F(progress_test, a_file_gets_a_line_for_each_finished_item_and_nothing_else) {
  {
    progress p = make(false, 20, 12);
    p.show("killing the server");
    p.tick();
    EXPECT_EQ(taken(), "");
    p.finished("peer_closed: a text longer than the width is not cut in a file");
    p.say("a remark");
    p.finished("two");
    EXPECT_EQ(
        taken(),
        "[ 1/12] peer_closed: a text longer than the width is not cut in a file\na remark\n[ 2/12] two\n");
  }
  EXPECT_EQ(taken(), "");
}

TEST_F(progress_test, a_terminal_gets_one_line_rewritten_and_cut_and_cleared) {
  {
    progress p = make(true, 20, 3);
    p.show("killing the server now");
    EXPECT_EQ(taken(), "\r\x1b[K[0/3] killing the …");
    now_ += milliseconds{100};
    p.finished("killed");
    EXPECT_EQ(taken(), "\r\x1b[K[1/3] killed");
  }
  EXPECT_EQ(taken(), "\r\x1b[K");
}

TEST_F(progress_test, a_line_for_good_stays_above_the_live_one) {
  progress p = make(true, 20, 3);
  p.show("killing");
  taken();
  p.finished_for_good("killed: a text longer than the width");
  EXPECT_EQ(taken(), "\r\x1b[K[1/3] killed: a text longer than the width\n\r\x1b[K[1/3] killing");
  progress plain = make(false, 20, 3);
  plain.finished_for_good("killed");
  EXPECT_EQ(taken(), "[1/3] killed\n");
}

TEST_F(progress_test, no_more_than_ten_draws_a_second_and_the_last_text_wins) {
  progress p = make(true, 80, 0);
  p.show("a");
  taken();
  int draws = 0;
  for (int i = 0; i < 1000; ++i) {
    now_ += milliseconds{1};
    p.show(std::to_string(i));
    if (!taken().empty()) ++draws;
  }
  EXPECT_EQ(draws, 10);
  p.show("last");
  EXPECT_EQ(taken(), "");
  now_ += milliseconds{100};
  p.tick();
  EXPECT_EQ(taken(), "\r\x1b[K[0] last");
  p.tick();
  EXPECT_EQ(taken(), "") << "nothing new, nothing drawn";
}

TEST_F(progress_test, a_remark_stands_above_the_live_line) {
  progress p = make(true, 80, 3);
  p.say("first");
  EXPECT_EQ(taken(), "first\n");
  p.show("busy");
  taken();
  p.say("remark");
  EXPECT_EQ(taken(), "\r\x1b[Kremark\n\r\x1b[K[0/3] busy");
  p.clear();
  p.clear();
  EXPECT_EQ(taken(), "\r\x1b[K") << "cleared once";
}

TEST_F(progress_test, without_escape_sequences_blanks_clear_the_line) {
  {
    progress p{[this](std::string_view text) { out_ += text; },
               {.live = true, .escapes = false, .width = 20, .total = 3, .now = [this] { return now_; }}};
    p.show("killing the server now");
    EXPECT_EQ(taken(), "\r[0/3] killing the …");
    now_ += milliseconds{100};
    p.show("ok");
    EXPECT_EQ(taken(), "\r                   \r[0/3] ok");
    p.say("remark");
    EXPECT_EQ(taken(), "\r        \rremark\n\r[0/3] ok");
  }
  EXPECT_EQ(taken(), "\r        \r");
}

TEST_F(progress_test, text_cannot_move_the_cursor) {
  progress p = make(false, 80, 1);
  p.finished("a\x1b[2J\nb");
  EXPECT_EQ(taken(), "[1/1] a\uFFFD[2J b\n");
}

}  // namespace
}  // namespace halfopen::report
