#include "report/whole_number.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace halfopen::report {
namespace {

using nlohmann::json;

TEST(whole_number, is_taken_over_its_whole_range) {
  EXPECT_EQ(whole_number<std::int64_t>(json::parse("-9223372036854775808")),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(whole_number<std::int64_t>(json::parse("9223372036854775807")),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(whole_number<std::uint64_t>(json::parse("18446744073709551615")),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(whole_number<std::uint16_t>(json(65535)), 65535);
}

TEST(whole_number, out_of_range_is_refused) {
  EXPECT_THROW(whole_number<std::int64_t>(json::parse("9223372036854775808")), std::invalid_argument);
  EXPECT_THROW(whole_number<std::uint64_t>(json(-1)), std::invalid_argument);
  EXPECT_THROW(whole_number<std::uint16_t>(json(65536)), std::invalid_argument);
}

TEST(whole_number, what_is_none_is_refused) {
  for (const char* other : {"4.4e80", "1.0", "true", "null", "\"1\"", "[1]", "{}"})
    EXPECT_THROW(whole_number<std::int64_t>(json::parse(other)), std::invalid_argument) << other;
}

}  // namespace
}  // namespace halfopen::report
