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

TEST(kernel_timeouts, keepalive_with_a_user_timeout_goes_by_time) {
  EXPECT_EQ(keepalive_gives_up(4s, 2s, 3, 9800ms), 10s);
  EXPECT_EQ(keepalive_gives_up(4s, 2s, 3, 1s), 6s) << "one probe is unanswered at least";
  EXPECT_EQ(keepalive_gives_up(1s, 1s, 1, 20'000'000ms), 20'000s);
}

constexpr microseconds hz_250{4000};
constexpr microseconds hz_1000{1000};

TEST(late_by, is_the_granularity_of_the_wheel) {
  EXPECT_EQ(late_by(7200s, {}), 0ms);
  EXPECT_EQ(late_by(200ms, hz_250), 12ms);       // 50 ticks: exact but for the rounding
  EXPECT_EQ(late_by(120s, hz_250), 2056ms);      // 30,000 ticks: in steps of 512
  EXPECT_EQ(late_by(7200s, hz_250), 131'080ms);  // docs/virtual-clock.md: up to 131 s
  EXPECT_EQ(late_by(120s, hz_1000), 4098ms);
}

TEST(retransmission, by_the_models_timer_is_what_the_model_says) {
  const span s = gives_up(retransmission{.tick = hz_250});
  EXPECT_EQ(s.least, 924'800ms) << "the model's time counts from the first retransmission";
  EXPECT_EQ(gives_up(retransmission{.rto = 204ms}), (span{.least = 928'692ms, .most = 928'896ms}));
}

TEST(retransmission, measured_in_a_guest_lies_between) {  // 938.9 s in docs/virtual-clock.md
  const span s = gives_up(retransmission{.rto = 204ms, .tick = hz_250});
  EXPECT_LT(s.least, 938'900ms);
  EXPECT_GT(s.most, 938'900ms);
}

// 102.2 s by the model; but only a firing looks: at 3, 9, 21, 45, 93 and 189 s.
TEST(retransmission, a_slow_peers_timer_decides) {
  EXPECT_EQ(gives_up(retransmission{.retries2 = 8, .rto = 3s}).least, 189s);
}

TEST(retransmission, a_user_timeout_ends_it) {
  EXPECT_EQ(gives_up(retransmission{.user_timeout = 9800ms}).least, 10s);
  EXPECT_EQ(gives_up(retransmission{.rto = 3s, .user_timeout = 1s}).least, 4s);
}

TEST(retransmission, what_is_left_is_the_rest) {
  const retransmission r{.rto = 204ms};
  const milliseconds whole = gives_up(r).least;
  EXPECT_EQ(gives_up(r, 0, 204ms).least, whole);
  EXPECT_EQ(gives_up(r, 1, 408ms).least, whole - 204ms);
  EXPECT_EQ(gives_up(r, 2, 816ms).least, whole - 204ms - 408ms);
  EXPECT_EQ(gives_up(r, 2, 16ms).least, whole - 204ms - 408ms - 800ms);
  EXPECT_EQ(gives_up(r, 15, 1s).least, 1s) << "the last firing";
  EXPECT_GE(gives_up(r, 99, 5s).least, 5s);
}

TEST(retransmission, hostile_figures_end) {
  EXPECT_GT(gives_up(retransmission{.retries2 = -1, .rto = 0ms, .rto_max = 0ms}).most, 0ms);
  EXPECT_EQ(gives_up(retransmission{.rto_max = 1ms, .user_timeout = 4'000'000'000ms}).least, 4'000'000'200ms);
  EXPECT_GT(gives_up(retransmission{.rto = 900s, .rto_max = 120s}, -5, -5ms).most, 0ms);
}

TEST(keepalive, is_late_by_its_timers) {
  const span s = gives_up(keepalive_rule{.tick = hz_250});
  EXPECT_EQ(s.least, 7'875s);
  EXPECT_EQ(s.most, 7'875s + 131'080ms + 9 * 2056ms);
  EXPECT_EQ(gives_up(keepalive_rule{.probes = 0}).least, 7200s);
}

TEST(keepalive, what_is_left_is_the_rest) {
  const keepalive_rule k{.time = 60s, .interval = 10s, .probes = 3};
  EXPECT_EQ(gives_up(k, 0, 0s, 60s).least, 90s);
  EXPECT_EQ(gives_up(k, 0, 50s, 5s).least, 40s) << "the timer only looks, and runs on";
  EXPECT_EQ(gives_up(k, 0, 100s, 60s).least, 90s) << "keepalive was turned on just now";
  EXPECT_EQ(gives_up(k, 2, 75s, 5s).least, 15s);
  const keepalive_rule u{.time = 60s, .interval = 10s, .probes = 3, .user_timeout = 100s};
  EXPECT_EQ(gives_up(u, 2, 75s, 5s).least, 25s);
}

TEST(connecting, what_is_left_is_the_rest) {
  EXPECT_EQ(gives_up(connect_rule{}).least, 131s);
  EXPECT_EQ(gives_up(connect_rule{}, 0, 400ms).least, 130s + 400ms);
  EXPECT_EQ(gives_up(connect_rule{}, 5, 2s).least, 131s - 7s + 2s);
  EXPECT_EQ(gives_up(connect_rule{}, 10, 1s).least, 1s) << "the last firing";
  EXPECT_EQ(gives_up(connect_rule{}, 200, 1s).least, 1s);
  const span s = gives_up(connect_rule{.tick = hz_250});
  EXPECT_LT(s.least, 134'100ms) << "docs/virtual-clock.md";
  EXPECT_GT(s.most, 134'100ms);
}

TEST(closed_window, is_probed_so_often) {
  EXPECT_EQ(gives_up(window_rule{.retries2 = 2}, 0, 0, 200ms).least, 200ms + 400ms + 800ms);
  EXPECT_EQ(gives_up(window_rule{.retries2 = 2}, 2, 9, 5s).least, 5s);
  EXPECT_EQ(gives_up(window_rule{}, 0, 10, 120s).least, 16 * 120s);
  EXPECT_EQ(gives_up(window_rule{.user_timeout = 30s}, 3, 2, 1s).least, 1s);
  EXPECT_GT(gives_up(window_rule{.retries2 = 1'000'000}, -5, 900, -1s).most, 0s);
}

}  // namespace
}  // namespace halfopen
