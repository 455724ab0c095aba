#include <gtest/gtest.h>

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

TEST(names, every_ending_is_found_by_its_name) {
  for (const ending e : all_endings) EXPECT_EQ(parse_ending(to_string(e)), e) << to_string(e);
}

TEST(names, an_unknown_name_is_no_ending) {
  EXPECT_EQ(parse_ending(""), std::nullopt);
  EXPECT_EQ(parse_ending("peer_"), std::nullopt);
  EXPECT_EQ(parse_ending("PEER_RESET"), std::nullopt);
}

template <class Word>
void expect_an_explanation_of_each() {
  for (int i = 0;; ++i) {
    const auto word = static_cast<Word>(i);
    if (to_string(word) == "?") break;
    EXPECT_EQ(explain(word).name, to_string(word));
    EXPECT_TRUE(explain(word).means.ends_with('.')) << to_string(word);
  }
  EXPECT_EQ(explain(static_cast<Word>(200)).name, "?");
}

TEST(names, every_word_has_an_explanation) {
  expect_an_explanation_of_each<ending>();
  expect_an_explanation_of_each<phase>();
  expect_an_explanation_of_each<retry>();
}

TEST(names, a_value_out_of_range_is_a_question_mark) {
  EXPECT_EQ(to_string(static_cast<ending>(200)), "?");
  EXPECT_EQ(to_string(phase::receiving_reply), "receiving_reply");
  EXPECT_EQ(to_string(retry::pointless), "pointless");
}

}  // namespace
}  // namespace halfopen
