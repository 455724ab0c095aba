#include "fate/kernel_timeouts.hpp"

#include <gtest/gtest.h>

namespace halfopen {
namespace {

using namespace std::chrono_literals;

TEST(kernel_timeouts, fifteen_retries_take_924_6_seconds) {
  EXPECT_EQ(retransmission_gives_up(), 924'600ms);  // Documentation/networking/ip-sysctl.rst
  EXPECT_EQ(retransmission_gives_up(3), 3'000ms);
  EXPECT_EQ(retransmission_gives_up(8), 102'200ms);
}

TEST(kernel_timeouts, a_lower_rto_max_shortens_them) {
  EXPECT_EQ(retransmission_gives_up(15, 1000ms), 14'400ms);
  EXPECT_EQ(retransmission_gives_up(3, 1000ms), 2'400ms);
}

TEST(kernel_timeouts, hostile_settings_do_not_overflow) {
  EXPECT_EQ(retransmission_gives_up(-1), 200ms);
  EXPECT_EQ(retransmission_gives_up(0, 0ms), 200ms);
}

TEST(kernel_timeouts, a_connect_takes_131_seconds) {
  EXPECT_EQ(connect_gives_up(), 131s);
  EXPECT_EQ(connect_gives_up(6, 0), 127s);  // before Linux 6.5
  EXPECT_EQ(connect_gives_up(1, 0), 3s);
}

TEST(kernel_timeouts, a_connect_ends_by_count_or_by_time) {
  EXPECT_EQ(connect_gives_up(1, 4), 3s);  // the model's time for one retry, before the fifth SYN
  EXPECT_EQ(connect_gives_up(2, 1), 8s);
  EXPECT_EQ(connect_gives_up(6, 4, 2800ms), 2800ms);
  EXPECT_EQ(connect_gives_up(2, 4, 700ms), 1s);
  EXPECT_EQ(connect_gives_up(6, 0, 10'000'000ms), 127s);
  EXPECT_EQ(connect_gives_up(0, 0), 1s);
}

TEST(kernel_timeouts, keepalive_takes_over_two_hours) {
  EXPECT_EQ(keepalive_gives_up(), 7'875s);
}

}  // namespace
}  // namespace halfopen
