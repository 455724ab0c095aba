// What the library says, and when, of a peer whose host is gone: silence, a reboot, a
// router's word. The library's own tests run on loopback, where no host can die; here the
// lab's hosts do. bench/detect_vanished.cpp measures the same promise over more of its range.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "halfopen/liveness.hpp"

namespace halfopen {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::uint16_t port = 7;

/// In which order there was news of descriptors, and of timers beside them. The kernel queues it as it
/// comes (edge-triggered, epoll(7)): so what is early or late does not rest on when this process runs.
class order_of_news {
 public:
  void watch(int fd) {
    epoll_event news{.events = EPOLLIN | EPOLLET, .data = {.fd = fd}};
    EXPECT_EQ(::epoll_ctl(all_.get(), EPOLL_CTL_ADD, fd, &news), 0);
  }
  /// A timer, and its descriptor.
  int watch(clock::time_point when) {
    const auto since_boot = when.time_since_epoch();
    const itimerspec once{.it_interval = {}, .it_value = {since_boot / 1s, since_boot % 1s / 1ns}};
    timers_.emplace_back(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    EXPECT_EQ(::timerfd_settime(timers_.back().get(), TFD_TIMER_ABSTIME, &once, nullptr), 0);
    watch(timers_.back().get());
    return timers_.back().get();
  }
  std::vector<int> so_far() {
    std::array<epoll_event, 16> got{};
    std::vector<int> order;
    for (int i = 0, n = ::epoll_wait(all_.get(), got.data(), got.size(), 0); i < n; ++i)
      order.push_back(got[static_cast<std::size_t>(i)].data.fd);
    return order;
  }

 private:
  lab::unique_fd all_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<lab::unique_fd> timers_;
};

class dead_host : public testing::TestWithParam<lab::ip_version> {
 protected:
  lab::experiment world{{.hosts = {"client", "server"}, .ip = GetParam(), .recorder = {}}};
  lab::host& client = world.at("client");
  lab::host& server = world.at("server");
  lab::unique_fd listener;

  // A listener for both families; connections stay in its queue.
  void SetUp() override {
    server.in_network([this] {
      listener.reset(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const int both = 0;
      ::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
      sockaddr_in6 any{};
      any.sin6_family = AF_INET6;
      any.sin6_port = htons(port);
      ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
      ASSERT_EQ(::listen(listener.get(), 16), 0);
    });
  }

  /// A socket that connects to the server while a router says that there is no way.
  lab::unique_fd connect_in_vain() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const lab::unique_fd other = client.connect_to(server, port);
    EXPECT_EQ(::getpeername(other.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    lab::unique_fd fd;
    client.in_network([&] { fd.reset(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0)); });
    EXPECT_TRUE(report_icmp(fd.get()));
    lab::make_unreachable(server, lab::unreachable_kind::network);
    EXPECT_LT(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    return fd;
  }

  static int read_error(int fd) {
    char byte = 0;
    return ::recv(fd, &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;
  }
  /// Lets the world go on until the socket has an error to tell.
  bool until_error(int fd) {
    return world.until(
        [fd] {
          pollfd p{fd, 0, 0};
          return ::poll(&p, 1, 0) == 1;
        },
        20s);
  }
};

INSTANTIATE_TEST_SUITE_P(ip, dead_host, testing::Values(lab::ip_version::v4, lab::ip_version::v6),
                         [](const auto& which) { return which.param == lab::ip_version::v4 ? "v4" : "v6"; });

TEST_P(dead_host, is_noticed_within_the_time_idle_or_not) {
  constexpr auto promise = 3000ms;
  constexpr auto too_late = promise * 6 / 5;  // a tenth late is the promise
  const auto begun = clock::now();
  const lab::unique_fd idle = client.connect_to(server, port);
  const lab::unique_fd busy = client.connect_to(server, port);
  const lab::unique_fd late = client.connect_to(server, port);
  for (const lab::unique_fd* fd : {&idle, &busy, &late}) ASSERT_TRUE(set_liveness(fd->get(), promise));
  order_of_news news;
  for (const lab::unique_fd* fd : {&idle, &busy, &late}) news.watch(fd->get());
  lab::unplug(server);
  ASSERT_EQ(::send(busy.get(), "hello", 5, MSG_NOSIGNAL), 5);
  const int too_early_for_two = news.watch(begun + promise - 20ms);
  const int too_late_for_two = news.watch(clock::now() + too_late);
  world.run_for(1500ms);
  const int too_early_for_late = news.watch(clock::now() + promise - 20ms);
  ASSERT_EQ(::send(late.get(), "hello", 5, MSG_NOSIGNAL), 5);
  const int too_late_for_late = news.watch(clock::now() + too_late);
  world.run_for(too_late + 100ms);

  const std::vector<int> order = news.so_far();
  const auto in_time = [&](int after, const lab::unique_fd& fd, int before) {
    const auto at = std::ranges::find(order, fd.get());
    return std::ranges::find(order, after) < at && at < std::ranges::find(order, before);
  };
  EXPECT_TRUE(in_time(too_early_for_two, idle, too_late_for_two));
  EXPECT_TRUE(in_time(too_early_for_two, busy, too_late_for_two));
  EXPECT_TRUE(in_time(too_early_for_late, late, too_late_for_late));

  const fate f = diagnose(busy.get(), operation::read, read_error(busy.get()));
  EXPECT_EQ(f.how, ending::peer_vanished);
  EXPECT_EQ(f.or_else, std::nullopt);
  EXPECT_EQ(f.again, retry::unknown);
  EXPECT_EQ(f.seen->unacknowledged, 5u);
  EXPECT_GE(f.seen->retransmissions, 3u);
  EXPECT_GE(f.seen->last_heard, 3s);
  EXPECT_FALSE(f.seen->still_open);
  EXPECT_EQ(diagnose(idle.get(), operation::read, read_error(idle.get())).again, retry::safe);
}

TEST_P(dead_host, that_rebooted_is_told_by_the_silence_before_its_reset) {
  const lab::unique_fd busy = client.connect_to(server, port);
  const lab::unique_fd idle = client.connect_to(server, port);
  ASSERT_TRUE(set_liveness(idle.get(), 4s));  // probes after one second
  lab::crash(server);
  ASSERT_EQ(::send(busy.get(), "hello", 5, MSG_NOSIGNAL), 5);
  world.run_for(1200ms);
  lab::reboot(server);
  for (const lab::unique_fd* fd : {&busy, &idle}) {
    ASSERT_TRUE(until_error(fd->get()));
    const fate f = diagnose(fd->get(), operation::read, read_error(fd->get()));
    EXPECT_EQ(f.error, ECONNRESET);
    EXPECT_EQ(f.how, ending::peer_rebooted);
    EXPECT_EQ(f.or_else, ending::peer_reset);
    EXPECT_GE(f.seen->last_heard, 1s);
  }
}

TEST_P(dead_host, a_router_is_named_while_connecting) {
  const lab::unique_fd fd = connect_in_vain();
  ASSERT_TRUE(until_error(fd.get()));
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  const fate f = diagnose(fd.get(), operation::connect, error);
  EXPECT_EQ(f.how, ending::net_unreachable);
  EXPECT_EQ(f.again, retry::safe);
  ASSERT_TRUE(f.seen->icmp);
  EXPECT_EQ(f.seen->icmp->router_text(), world.router().to_string());
  EXPECT_EQ(f.seen->icmp->v6, GetParam() == lab::ip_version::v6);
  EXPECT_EQ(f.seen->icmp->type, f.seen->icmp->v6 ? 1 : 3);
  EXPECT_EQ(f.detail, "");
}

// tcp_v4_err() and tcp_v6_err() set only the error of an open connection: no router's name.
TEST_P(dead_host, an_open_connection_is_told_at_once_and_goes_on) {
  const lab::unique_fd fd = client.connect_to(server, port);
  ASSERT_TRUE(report_icmp(fd.get()));
  lab::make_unreachable(server, lab::unreachable_kind::host);
  ASSERT_EQ(::send(fd.get(), "hello", 5, MSG_NOSIGNAL), 5);
  ASSERT_TRUE(until_error(fd.get()));
  const fate f = diagnose(fd.get(), operation::read, read_error(fd.get()));
  EXPECT_EQ(f.how, ending::host_unreachable);
  EXPECT_TRUE(f.seen->still_open) << "told before the kernel gave up";
  EXPECT_EQ(f.seen->icmp, std::nullopt);
  EXPECT_EQ(f.again, retry::unknown);
}

}  // namespace
}  // namespace halfopen

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return halfopen::lab::enter([] { return RUN_ALL_TESTS(); });
}
