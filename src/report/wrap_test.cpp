#include "report/wrap.hpp"

#include <gmock/gmock.h>

namespace halfopen::report {
namespace {

using ::testing::ElementsAre;

TEST(wrap, fills_lines_at_words) {
  EXPECT_THAT(wrap("the quick brown fox", 10), ElementsAre("the quick", "brown fox"));
  EXPECT_THAT(wrap("the quick brown fox", 9), ElementsAre("the quick", "brown fox"));
  EXPECT_THAT(wrap("the quick brown fox", 8), ElementsAre("the", "quick", "brown", "fox"));
  EXPECT_THAT(wrap("one", 80), ElementsAre("one"));
}

TEST(wrap, text_without_words_is_one_empty_line) {
  EXPECT_THAT(wrap("", 5), ElementsAre(""));
  EXPECT_THAT(wrap("   ", 5), ElementsAre(""));
}

TEST(wrap, a_word_longer_than_the_line_is_cut_at_its_end) {
  EXPECT_THAT(wrap("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(wrap("a bcdefg h", 3), ElementsAre("a", "bcd", "efg", "h"));
  EXPECT_THAT(wrap("日本語", 3), ElementsAre("日", "本", "語"));
  EXPECT_THAT(wrap("日本", 1), ElementsAre("日", "本")) << "too narrow for any: over the edge, but it ends";
  EXPECT_THAT(wrap("ab", 0), ElementsAre("a", "b"));
}

TEST(wrap, newlines_end_lines_and_indentation_stays) {
  EXPECT_THAT(wrap("a\nb", 9), ElementsAre("a", "b"));
  EXPECT_THAT(wrap("a\n\nb\n", 9), ElementsAre("a", "", "b"));
  EXPECT_THAT(wrap("a\n  indented  twice", 10), ElementsAre("a", "  indented", "twice"));
}

TEST(wrap, the_longest_word_counts_columns) {
  EXPECT_EQ(longest_word(""), 0U);
  EXPECT_EQ(longest_word("a bcd\nefgh i"), 4U);
  EXPECT_EQ(longest_word("→→ é"), 2U);
}

}  // namespace
}  // namespace halfopen::report
