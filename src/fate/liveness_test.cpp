// The plan's arithmetic, and what a socket says that was told it. That the kernel keeps
// the promise is tested where hosts die: tests/dead_host_test.cpp.

#include "halfopen/liveness.hpp"

#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <filesystem>
#include <fstream>

#include "fate/loopback.hpp"

namespace halfopen {
namespace {

using namespace std::chrono_literals;
using namespace loopback;
using std::chrono::milliseconds;

int option(const descriptor& fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  checked(getsockopt(fd.get(), level, name, &value, &size), "getsockopt");
  return value;
}

TEST(noticed_within, spreads_the_time) {
  EXPECT_EQ(noticed_within(3s), (liveness{true, 1s, 1s, 2, 2800ms}));
  EXPECT_EQ(noticed_within(10s), (liveness{true, 4s, 2s, 3, 9800ms}));
  EXPECT_EQ(noticed_within(60s), (liveness{true, 15s, 15s, 3, 59'800ms}));
  EXPECT_EQ(noticed_within(0s), noticed_within(least_notice));
  EXPECT_EQ(noticed_within(-1ms), noticed_within(least_notice));
}

// By the kernel's formulas, for each promise: never early, and late by less than a second
// of rounding for an idle connection.
TEST(noticed_within, is_kept_by_the_formulas) {
  for (milliseconds within = least_notice; within < 100s; within += 50ms) {
    const liveness plan = noticed_within(within);
    const hang h = would_hang(plan);
    EXPECT_EQ(h.idle, std::chrono::ceil<std::chrono::seconds>(within)) << within.count();
    EXPECT_GE(h.in_flight, within) << within.count();
    EXPECT_LE(h.in_flight, within + 950ms) << within.count();
    EXPECT_EQ(within % 1s == 0s ? *h.in_flight : within, within);
    EXPECT_EQ(plan.idle + plan.interval * plan.probes, *h.idle) << "the count alone would say the same";
    EXPECT_GE(plan.idle, 1s);
  }
}

TEST(noticed_within, takes_any_time) {
  for (const auto within : {milliseconds::max(), milliseconds::min(), milliseconds(50'000'000)}) {
    const liveness plan = noticed_within(within);
    connection c;
    EXPECT_TRUE(set_liveness(c.client.get(), plan)) << within.count();
    EXPECT_EQ(liveness_of(c.client.get()), plan);
  }
}

TEST(set_liveness, sets_them_all) {
  connection c;
  ASSERT_TRUE(set_liveness(c.client.get(), 10s));
  EXPECT_EQ(option(c.client, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(c.client, IPPROTO_TCP, TCP_KEEPIDLE), 4);
  EXPECT_EQ(option(c.client, IPPROTO_TCP, TCP_KEEPINTVL), 2);
  EXPECT_EQ(option(c.client, IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(c.client, IPPROTO_TCP, TCP_USER_TIMEOUT), 9800);
  ASSERT_TRUE(set_liveness(c.client.get(), liveness{}));
  EXPECT_EQ(liveness_of(c.client.get()), liveness{});
}

TEST(set_liveness, tells_what_the_kernel_refuses) {
  connection c;
  liveness wrong;
  wrong.probes = 1000;
  const auto set_it = set_liveness(c.client.get(), wrong);
  ASSERT_FALSE(set_it);
  EXPECT_EQ(set_it.error(), std::errc::invalid_argument);
  EXPECT_EQ(set_liveness(-1, 10s).error(), std::errc::bad_file_descriptor);
  EXPECT_FALSE(liveness_of(-1));
  EXPECT_FALSE(would_hang(-1));
  const descriptor udp{checked(::socket(AF_INET, SOCK_DGRAM, 0), "socket")};
  EXPECT_FALSE(set_liveness(udp.get(), 10s));
}

TEST(report_icmp, sets_both_families) {
  const descriptor four = tcp_socket();
  ASSERT_TRUE(report_icmp(four.get()));
  EXPECT_EQ(option(four, IPPROTO_IP, IP_RECVERR), 1);
  ASSERT_TRUE(report_icmp(four.get(), false));
  EXPECT_EQ(option(four, IPPROTO_IP, IP_RECVERR), 0);
  EXPECT_FALSE(report_icmp(-1));
  const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
  if (fd < 0) GTEST_SKIP() << "no IPv6 here";
  const descriptor six{fd};
  ASSERT_TRUE(report_icmp(six.get()));
  EXPECT_EQ(option(six, IPPROTO_IPV6, IPV6_RECVERR), 1);
  EXPECT_EQ(option(six, IPPROTO_IP, IP_RECVERR), 1);
}

TEST(would_hang, at_the_defaults) {
  const hang h = would_hang(liveness{});
  EXPECT_EQ(h.idle, std::nullopt) << "for ever";
  EXPECT_EQ(h.in_flight, 924'600ms);
  EXPECT_EQ(h.connecting, 131s);
  liveness keepalive;
  keepalive.keepalive = true;
  EXPECT_EQ(would_hang(keepalive).idle, 7'875s);
}

TEST(would_hang, with_a_user_timeout) {
  liveness options{true, 10s, 5s, 3, 20s};
  EXPECT_EQ(would_hang(options).idle, 20s);
  options.user_timeout = 20'001ms;
  EXPECT_EQ(would_hang(options).idle, 25s) << "only the timer's firing looks at the time";
  options.user_timeout = 1s;
  EXPECT_EQ(would_hang(options).idle, 15s) << "one probe must have gone unanswered";
  options.user_timeout = 60s;
  EXPECT_EQ(would_hang(options).idle, 60s) << "it prolongs keepalive, too";
  EXPECT_EQ(would_hang(options).in_flight, 60'200ms);
  EXPECT_EQ(would_hang(options).connecting, 60s);
  options.user_timeout = 1000s;
  EXPECT_EQ(would_hang(options).connecting, 131s) << "the count of SYNs ends it";
  options.keepalive = false;
  EXPECT_EQ(would_hang(options).idle, std::nullopt);
}

TEST(would_hang, hostile_options_do_not_overflow) {
  const hang h = would_hang(
      {true, std::chrono::seconds::max(), std::chrono::seconds::max(), INT32_MAX, milliseconds::max()},
      {INT32_MAX, INT32_MAX, INT32_MAX, {}, {}, {}, {}, {}});
  EXPECT_GT(*h.idle, 0s);
  EXPECT_GT(*h.connecting, 0s);
  EXPECT_TRUE(would_hang({true, -1s, -1s, -1, -1ms}, {-1, -1, -1, -1ms, -1ms, -1s, -1s, -1}).idle);
}

TEST(would_hang, of_a_socket) {
  connection c;
  ASSERT_TRUE(set_liveness(c.client.get(), 10s));
  set(c.client, IPPROTO_TCP, TCP_SYNCNT, 1);
  const auto h = would_hang(c.client.get());
  ASSERT_TRUE(h);
  EXPECT_EQ(h->idle, 10s);
  EXPECT_GE(*h->in_flight, 9'800ms);
  ASSERT_TRUE(set_liveness(c.client.get(), liveness{}));
  EXPECT_LE(would_hang(c.client.get())->connecting, 15s) << "its own TCP_SYNCNT, not tcp_syn_retries";
}

class settings : public testing::Test {
 protected:
  settings() { std::filesystem::create_directories(folder_); }
  ~settings() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, const char* value) const { std::ofstream(folder_ / name) << value; }
  [[nodiscard]] kernel_timers read() const { return read_kernel_timers(folder_.string()); }

 private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("halfopen-settings-" + std::to_string(::getpid()));
};

TEST_F(settings, that_are_missing_are_those_of_an_old_kernel) {
  kernel_timers old;
  old.syn_linear_timeouts = 0;
  EXPECT_EQ(read(), old);
}

TEST_F(settings, are_read) {
  write("tcp_retries2", "8\n");
  write("tcp_syn_retries", "3\n");
  write("tcp_syn_linear_timeouts", "2\n");
  write("tcp_rto_min_us", "5000\n");
  write("tcp_rto_max_ms", "1000\n");
  write("tcp_keepalive_time", "60\n");
  write("tcp_keepalive_intvl", "10\n");
  write("tcp_keepalive_probes", "junk");
  EXPECT_EQ(read(), (kernel_timers{8, 3, 2, 5ms, 1s, 60s, 10s, 9}));
}

TEST(read_kernel_timers, of_this_machine) {
  EXPECT_GT(read_kernel_timers().retries2, 0);
  EXPECT_GE(read_kernel_timers().rto_max, 1s);
}

}  // namespace
}  // namespace halfopen
