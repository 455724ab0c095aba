#include "report/table.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "report/utf8.hpp"

namespace halfopen::report {
namespace {

text_table small() {
  text_table t{{{.heading = "Fault"}, {.heading = "Ending"}, {.heading = "ms", .align = alignment::right}}};
  t.add_group("Killed");
  t.add_row({"kill", "peer_closed", "7"});
  t.add_row({"kill -9", {"broken_pipe", colour::red}, "1234"});
  t.add_group("Gone");
  t.add_row({"crash", "peer_vanished"});
  return t;
}

text_table wide() {
  text_table t{{{.heading = "Situation", .max_width = 24},
                {.heading = "What was done", .weight = 2},
                {.heading = "What the client saw", .weight = 2},
                {.heading = "Proof"}}};
  t.add_row({"server process killed", "SIGKILL to the server while the client was waiting for its user",
             "end-of-file on the next read, ECONNRESET on the one after the write",
             "FIN in packet 9, bare RST in packet 12"});
  t.add_row({"server host crashed", "the cable went dead in both directions, then every process died",
             "ETIMEDOUT after 15 retransmissions", "no packet from 10.0.0.2 after number 8"});
  return t;
}

std::string rule(std::size_t width) {
  std::string text;
  while (width-- > 0) text += "─";
  return text + '\n';
}

std::size_t widest(const std::string& text) {
  std::size_t result = 0;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) result = std::max(result, display_width(line));
  return result;
}

TEST(table, compact_rows_have_no_blank_lines_between_them) {
  text_table t{{{.heading = "a", .max_width = 4}, {.heading = "b"}}};
  t.add_row({"1 long", "x"});
  t.add_row({"2", "y"});
  EXPECT_EQ(t.render({.width = 100}),
            "a     b\n"
            "──────────\n"
            "1     x\n"
            "long\n"
            "\n"
            "2     y\n");
  t.make_compact();
  EXPECT_EQ(t.render({.width = 100}),
            "a     b\n"
            "──────────\n"
            "1     x\n"
            "long\n"
            "2     y\n");
}

TEST(table, a_table_that_fits_is_no_wider_than_it_must_be) {
  EXPECT_EQ(small().render({.width = 80}),
            "Fault    Ending           ms\n"
            "────────────────────────────\n"
            "Killed\n"
            "kill     peer_closed       7\n"
            "kill -9  broken_pipe    1234\n"
            "────────────────────────────\n"
            "Gone\n"
            "crash    peer_vanished\n");
}

TEST(table, wraps_at_words_within_100_columns) {
  EXPECT_EQ(
      wide().render({.width = 100}),
      "Situation           What was done                 What the client saw               Proof\n" +
          rule(100) +
          "server process      SIGKILL to the server while   end-of-file on the next read,     FIN in packet "
          "9,\n"
          "killed              the client was waiting for    ECONNRESET on the one after the   bare RST in\n"
          "                    its user                      write                             packet 12\n"
          "\n"
          "server host         the cable went dead in both   ETIMEDOUT after 15                no packet "
          "from\n"
          "crashed             directions, then every        retransmissions                   10.0.0.2 "
          "after\n"
          "                    process died                                                    number 8\n");
}

TEST(table, has_room_to_breathe_at_160_columns) {
  EXPECT_EQ(wide().render({.width = 160}),
            "Situation              What was done                                        What the client saw "
            "                                     Proof\n" +
                rule(160) +
                "server process killed  SIGKILL to the server while the client was waiting   end-of-file on "
                "the next read, ECONNRESET on the one      FIN in packet 9, bare RST\n"
                "                       for its user                                         after the write "
                "                                         in packet 12\n"
                "\n"
                "server host crashed    the cable went dead in both directions, then every   ETIMEDOUT after "
                "15 retransmissions                       no packet from 10.0.0.2\n"
                "                       process died                                                         "
                "                                         after number 8\n");
}

TEST(table, a_narrow_window_gets_a_field_a_line) {
  EXPECT_EQ(wide().render({.width = 80}),
            "Situation            server process killed\n"
            "What was done        SIGKILL to the server while the client was waiting for its\n"
            "                     user\n"
            "What the client saw  end-of-file on the next read, ECONNRESET on the one after\n"
            "                     the write\n"
            "Proof                FIN in packet 9, bare RST in packet 12\n"
            "\n"
            "Situation            server host crashed\n"
            "What was done        the cable went dead in both directions, then every process\n"
            "                     died\n"
            "What the client saw  ETIMEDOUT after 15 retransmissions\n"
            "Proof                no packet from 10.0.0.2 after number 8\n");
}

TEST(table, records_keep_groups_and_leave_empty_fields_out) {
  EXPECT_EQ(small().render({.width = 20}), "Killed\n" + rule(20) +
                                               "Fault   kill\n"
                                               "Ending  peer_closed\n"
                                               "ms      7\n"
                                               "\n"
                                               "Fault   kill -9\n"
                                               "Ending  broken_pipe\n"
                                               "ms      1234\n"
                                               "\n"
                                               "Gone\n" +
                                               rule(20) +
                                               "Fault   crash\n"
                                               "Ending  peer_vanished\n");
}

TEST(table, no_width_is_too_small_and_none_is_exceeded_without_need) {
  for (std::size_t width = 0; width <= 200; ++width) {
    const std::string text = wide().render({.width = width});
    if (width >= 40) {
      EXPECT_LE(widest(text), width);
    }
    EXPECT_THAT(text, ::testing::HasSubstr("SIGKILL"));
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr(" \n")))
        << "blanks at a line's end, width " << width;
  }
}

TEST(table, a_heavier_column_gets_more_of_the_room) {
  const std::string words =
      "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p "
      "q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z";
  text_table t{{{.heading = "one", .weight = 1}, {.heading = "three", .weight = 3}}};
  t.add_row({words, words});
  const std::string text = t.render({.width = 100});
  // 98 columns without the gap, of which 4 and 5 are minima; 89 shared out as 22 : 66, and 1 left over.
  EXPECT_EQ(text.find("three"), 4U + 23U + 2U);
}

TEST(table, a_word_is_cut_only_when_nothing_else_helps) {
  text_table t{{{.heading = "a", .max_width = 60}, {.heading = "b"}}};
  t.add_row({std::string(80, 'x') + " y", "some words that can be wrapped where it suits"});
  const std::string text = t.render({.width = 100});
  EXPECT_THAT(text, ::testing::HasSubstr(std::string(60, 'x') + "  some"));

  text_table u{{{.heading = "a", .weight = 3}, {.heading = "b"}}};
  u.add_row({std::string(120, 'x'), std::string(120, 'y')});
  // 98 columns without the gap, of which 4 and 4 are minima; 90 shared out as 67 : 22, and 1 left over.
  EXPECT_THAT(u.render({.width = 100}),
              ::testing::HasSubstr(std::string(72, 'x') + "  " + std::string(26, 'y')));
}

TEST(table, widths_are_columns_and_not_bytes) {
  text_table t{{{.heading = "→"}, {.heading = "x"}}};
  t.add_row({"日本語", "1"});
  t.add_row({"né", "2"});
  EXPECT_EQ(t.render(), "→       x\n" + rule(12) + "日本語  1\nné      2\n");
}

TEST(table, colour_goes_around_the_text_and_never_around_blanks) {
  EXPECT_EQ(small().render({.width = 80, .colours = true}),
            "\x1b[1mFault\x1b[0m    \x1b[1mEnding\x1b[0m           \x1b[1mms\x1b[0m\n"
            "\x1b[2m────────────────────────────\x1b[0m\n"
            "\x1b[1mKilled\x1b[0m\n"
            "kill     peer_closed       7\n"
            "kill -9  \x1b[31mbroken_pipe\x1b[0m    1234\n"
            "\x1b[2m────────────────────────────\x1b[0m\n"
            "\x1b[1mGone\x1b[0m\n"
            "crash    peer_vanished\n");
}

TEST(table, hostile_text_is_made_harmless) {
  text_table t{{{.heading = "seen\n"}}};
  t.add_row({"\x1b[2Jgone\xff"});
  t.add_row({"two\nlines"});
  EXPECT_EQ(t.render(), "seen\n" + rule(9) + "\uFFFD[2Jgone\uFFFD\n\ntwo\nlines\n");
}

TEST(table, nothing_is_a_heading_and_a_rule) {
  EXPECT_EQ(text_table{{column{.heading = "only"}}}.render(), "only\n" + rule(4));
  EXPECT_EQ(text_table{{}}.render(), "\n");
}

TEST(list, a_row_is_one_line_and_groups_have_no_rules) {
  text_table t{{{.heading = "a"}, {.heading = "b", .min_width = 6}}};
  EXPECT_TRUE(t.empty());
  t.make_list();
  t.add_group("group");
  t.add_row({"one", "two\nlines of it"});
  t.add_group("next");
  t.add_row({"three"});
  EXPECT_FALSE(t.empty());
  EXPECT_EQ(t.render({.width = 80}),
            "a      b\n"
            "group\n"
            "one    two lines of it\n"
            "next\n"
            "three\n");
  EXPECT_EQ(t.render({.width = 17}),
            "a      b\n"
            "group\n"
            "one    two lines…\n"
            "next\n"
            "three\n");
}

}  // namespace
}  // namespace halfopen::report
