#include "play/check.hpp"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

namespace halfopen::play {
namespace {

TEST(check, names_its_packet) {
  EXPECT_EQ(in_words({"RST from the server", true, true, 12}), "RST from the server (packet 12)");
  EXPECT_EQ(in_words({"it lives", true, false, {}}), "it lives");
}

TEST(check, proofs_and_expectations_are_told_apart) {
  const std::array checks{check{"RST", true, true, 3}, check{"it lives", false, false, {}}};
  EXPECT_EQ(first_unproved(checks), std::nullopt);
  EXPECT_FALSE(all_as_expected(checks));
  const std::array others{check{"RST", false, true, {}}, check{"it lives", true, false, {}}};
  EXPECT_EQ(first_unproved(others), 0U);
  EXPECT_TRUE(all_as_expected(others));
}

TEST(check, survives_json) {
  const check c{"RST", true, true, 12};
  const auto back = nlohmann::json::parse(nlohmann::json(c).dump()).get<check>();
  EXPECT_EQ(in_words(back), in_words(c));
  EXPECT_TRUE(back.holds && back.is_proof);
  EXPECT_FALSE(nlohmann::json(check{"a", false, false, {}}).contains("packet"));
  EXPECT_ANY_THROW(
      (nlohmann::json{{"what", "a"}, {"holds", true}, {"is_proof", true}, {"packet", -1}}.get<check>()));
}

}  // namespace
}  // namespace halfopen::play
