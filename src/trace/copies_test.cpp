#include "trace/copies.hpp"

#include <gtest/gtest.h>

#include "trace/conversation.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;
using namespace std::chrono_literals;

twin at(std::chrono::nanoseconds when, std::uint16_t id, std::uint8_t ttl = 64, bool repeatable = false) {
  return {time_point{when}, id, ttl, repeatable};
}

TEST(copies, an_identification_is_not_used_twice_within_a_moment) {
  EXPECT_TRUE(is_copy(at(0ms, 7), at(99ms, 7), false));
  EXPECT_FALSE(is_copy(at(0ms, 7), at(100ms, 7), false));
  EXPECT_FALSE(is_copy(at(0ms, 7), at(1ms, 8), false));
  EXPECT_TRUE(is_copy(at(5ms, 7), at(0ms, 7), false)) << "the second capture point was written first";
}

TEST(copies, one_way_further_on_takes_longer) {
  EXPECT_TRUE(is_copy(at(0ms, 7, 64), at(300ms, 7, 61), false));
  EXPECT_FALSE(is_copy(at(0ms, 7, 64), at(1s, 7, 61), false));
  EXPECT_TRUE(is_copy(at(0ms, 0, 64, true), at(30ms, 0, 63, true), false));
}

TEST(copies, without_an_identification_only_the_time_tells) {
  EXPECT_TRUE(is_copy(at(0ms, 0), at(1ms, 0), false));
  EXPECT_FALSE(is_copy(at(0ms, 0), at(2ms, 0), false));
  EXPECT_FALSE(is_copy(at(0ms, 0), at(0ms, 0), false)) << "a virtual clock may stand still";
  EXPECT_TRUE(is_copy(at(0ms, 0), at(0ms, 0), true));
  EXPECT_FALSE(is_copy(at(0ms, 0, 64, true), at(1ms, 0, 64, true), false)) << "an ACK may well come twice";
  EXPECT_TRUE(is_copy(at(0ms, 0, 64, true), at(1ms, 0, 64, true), true));
}

TEST(copies, are_found_with_others_in_between) {
  conversation c;
  c.handshake().data(side::opener, 10);
  tracker t;
  const connection* last = nullptr;
  std::uint64_t number = 0;
  time_point when{};
  // A capture behind a router: each pair of packets comes again as a pair.
  const auto& all = c.frames();
  for (std::size_t i = 0; i < all.size(); i += 2)
    for (int point = 0; point < 2; ++point)
      for (std::size_t k = i; k < i + 2; ++k) {
        packet p = decode(all[k], link::ethernet, ++number, when += 1ms).value();
        p.ttl = static_cast<std::uint8_t>(p.ttl - point);
        last = t.add(p);
      }
  ASSERT_EQ(t.connections().size(), 1U);
  EXPECT_EQ(last->of(side::opener).duplicates, 3U);
  EXPECT_EQ(last->of(side::responder).duplicates, 1U);
  EXPECT_EQ(last->of(side::opener).ttl_least, last->of(side::opener).ttl_most);
}

}  // namespace
}  // namespace halfopen::trace
