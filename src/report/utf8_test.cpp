#include "report/utf8.hpp"

#include <gtest/gtest.h>

using namespace std::string_view_literals;

namespace halfopen::report {
namespace {

TEST(utf8, widths_are_columns_and_not_bytes) {
  EXPECT_EQ(display_width("plain"), 5U);
  EXPECT_EQ(display_width("é→─"), 3U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U) << "a combining accent takes no column";
  EXPECT_EQ(display_width("✅ ❌"), 5U);
  EXPECT_EQ(display_width("✓✗"), 2U);
  EXPECT_EQ(display_width("😀"), 2U);
}

TEST(utf8, malformed_bytes_count_one_column_each) {
  EXPECT_EQ(display_width("a\xff\xfe"), 3U);
  EXPECT_EQ(display_width("\xc3"), 1U) << "cut short";
  EXPECT_EQ(display_width("\xc0\xaf"), 2U) << "overlong";
  EXPECT_EQ(display_width("\xe0\x80\xaf"), 3U) << "overlong, in three bytes";
  EXPECT_EQ(display_width("\xed\xa0\x80"), 3U) << "a surrogate";
  EXPECT_EQ(display_width("\xf4\x90\x80\x80"), 4U) << "above U+10FFFF";
}

TEST(utf8, a_prefix_ends_between_code_points) {
  EXPECT_EQ(prefix_of_width("añb", 2), "añ");
  EXPECT_EQ(prefix_of_width("日本", 3), "日");
  EXPECT_EQ(prefix_of_width("e\u0301x", 1), "e\u0301");
  EXPECT_EQ(prefix_of_width("abc", 0), "");
  EXPECT_EQ(prefix_of_width("abc", 9), "abc");
}

TEST(utf8, clip_marks_what_it_cut) {
  EXPECT_EQ(clip("four", 4), "four");
  EXPECT_EQ(clip("fives", 4), "fiv…");
  EXPECT_EQ(clip("fives", 1), "…");
  EXPECT_EQ(clip("fives", 0), "");
}

TEST(utf8, clean_leaves_nothing_that_moves_the_cursor) {
  EXPECT_EQ(clean("a\tb\nc\r\nd"), "a b c d");
  EXPECT_EQ(clean("a\nb\r\nc", newlines::kept), "a\nb\nc");
  EXPECT_EQ(clean("\x1b[31mred"), "\uFFFD[31mred");
  EXPECT_EQ(clean("nul\0!"sv), "nul\uFFFD!");
  EXPECT_EQ(clean("\x7f"), "\uFFFD");
  EXPECT_EQ(clean("\xc2\x9b"), "\uFFFD") << "C1 controls are controls too";
}

TEST(utf8, clean_text_is_well_formed) {
  EXPECT_EQ(clean("caf\xe9"), "caf\uFFFD");
  EXPECT_EQ(clean("é 日 😀 ─"), "é 日 😀 ─");
}

}  // namespace
}  // namespace halfopen::report
