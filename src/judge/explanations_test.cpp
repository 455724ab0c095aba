#include "judge/explanations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace halfopen::judge {
namespace {

TEST(explanations, every_verdict_has_one_under_its_own_name) {
  for (int i = 0;; ++i) {
    const auto v = static_cast<verdict>(i);
    if (to_string(v) == "?") break;
    EXPECT_EQ(explain(v).name, to_string(v));
    EXPECT_NE(explain(v).means, "");
  }
}

TEST(explanations, every_loss_of_a_torture_has_one_under_the_word_of_its_places) {
  std::set<std::string_view> names;
  for (const place& p : all_places(1, 0)) {
    EXPECT_TRUE(id_of(p).starts_with("torture/" + std::string(explain(p.how).name) + "-")) << id_of(p);
    names.insert(explain(p.how).name);
  }
  EXPECT_EQ(names.size(), 5U);
}

TEST(explanations, every_outcome_has_one_under_its_own_name) {
  const auto words = outcomes_of_a_client();
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(words[i].name, to_string(static_cast<outcome>(i)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(outcome::false_success) + 1);
}

TEST(explanations, every_confirmation_has_one_under_its_own_name) {
  for (int i = 0; i <= static_cast<int>(confirmation::refuted); ++i) {
    const auto name = to_string(static_cast<confirmation>(i));
    EXPECT_EQ(std::ranges::count(other_words(), name, &explanation::name), 1) << name;
  }
}

TEST(explanations, words_are_there_once) {
  std::set<std::string_view> seen;
  for (const auto words : {outcomes_of_a_client(), other_words()})
    for (const explanation& x : words) {
      EXPECT_TRUE(seen.insert(x.name).second) << x.name;
      EXPECT_TRUE(x.means.ends_with('.')) << x.name;
    }
}

}  // namespace
}  // namespace halfopen::judge
