#include "judge/explanations.hpp"

#include <gtest/gtest.h>

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
