// Faults of a link, and of a whole host's programs.

#include <algorithm>
#include <cerrno>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/test_pair.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

class three_hosts : public testing::TestWithParam<ip_version> {
 protected:
  experiment lab{{.hosts = {"client", "server", "other"}, .ip = GetParam(), .recorder = {}}};
  host& client = lab.at("client");
  host& server = lab.at("server");
  host& other = lab.at("other");

  /// A connect of that host to the server's port comes to its end.
  bool reaches_server(const host& who) {
    const unique_fd fd = make_socket(who);
    const socket_address there(server.address(), 7);
    ::connect(fd.get(), there.get(), there.size());
    return lab.after(from(server) && to(who) && syn_ack(), 200ms);
  }
  static bool says(const unique_fd& fd) { return ::send(fd.get(), "x", 1, MSG_NOSIGNAL) == 1; }
};
INSTANTIATE_TEST_SUITE_P(ip, three_hosts, testing::Values(ip_version::v4, ip_version::v6),
                         [](const auto& p) { return p.param == ip_version::v4 ? "v4" : "v6"; });

TEST_P(three_hosts, a_cut_link_stops_two_hosts_and_no_third) {
  const connected_pair pair(lab);
  cut(client, server);
  ASSERT_TRUE(says(pair.client));
  EXPECT_FALSE(lab.after(from(server) && to(client), 300ms));
  EXPECT_TRUE(reaches_server(other));
  heal(client, server);
  EXPECT_TRUE(lab.after(from(server) && acked(client, 1)));
}

TEST_P(three_hosts, a_link_is_cut_at_a_byte_that_is_named) {
  const connected_pair pair(lab);
  const auto say = [&](std::string_view text) {
    return ::send(pair.client.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  };
  ASSERT_TRUE(say("before"));
  ASSERT_TRUE(lab.after(from(server) && acked(client, 6)));
  cut_after(client, server, client, 10);
  EXPECT_EQ(condition_of(server, client).bytes_left, 10U);
  ASSERT_TRUE(say("1234567"));
  ASSERT_TRUE(lab.after(from(server) && acked(client, 13)));
  EXPECT_EQ(::send(pair.accepted.get(), "answered", 8, MSG_NOSIGNAL), 8);  // it does not count
  ASSERT_TRUE(lab.after(from(client) && acked(server, 8)));
  ASSERT_TRUE(say("890too much"));
  EXPECT_FALSE(lab.after(from(server) && to(client) && acked(client, 17), 300ms));
  char got[64];
  EXPECT_EQ(::recv(pair.accepted.get(), got, sizeof got, 0), 16);
  EXPECT_EQ(std::string_view(got, 16), "before1234567890");
  EXPECT_TRUE(condition_of(client, server).is_cut);
  EXPECT_TRUE(reaches_server(other));
  heal(client, server);
  EXPECT_FALSE(condition_of(client, server).is_cut);
  EXPECT_TRUE(lab.after(from(server) && acked(client, 24)));
  EXPECT_THROW(cut_after(client, server, other, 1), error);
  EXPECT_THROW(cut_after(client, server, client, 0), error);
}

TEST_P(three_hosts, a_link_is_cut_between_segments_too) {
  const connected_pair pair(lab);
  cut_after(client, server, client, 1);
  ASSERT_TRUE(says(pair.client));
  ASSERT_TRUE(lab.until([&] {
    char got[8];
    return ::recv(pair.accepted.get(), got, sizeof got, 0) == 1;
  }));
  const auto unacknowledged = [&] {
    return std::ranges::any_of(client.sockets(), [](const socket_view& v) { return v.unsent == 1; });
  };
  lab.run_for(300ms);
  EXPECT_TRUE(unacknowledged());  // the way back is cut too
  heal(client, server);
  EXPECT_TRUE(lab.until([&] { return !unacknowledged(); }));
}

TEST_P(three_hosts, a_router_speaks_for_a_cut_link) {
  const connected_pair pair(lab);
  make_unreachable(client, server, unreachable_kind::host);
  ASSERT_TRUE(says(pair.client));
  EXPECT_TRUE(lab.after(icmp() && to(client)));
  EXPECT_TRUE(reaches_server(other));
}

TEST_P(three_hosts, a_delayed_packet_comes_that_much_later) {
  const connected_pair pair(lab);
  delay(client, server, 150ms);
  const auto began = experiment::now();
  ASSERT_TRUE(says(pair.client));
  ASSERT_TRUE(lab.after(from(server) && acked(client, 1)));
  EXPECT_GE(experiment::now() - began, 150ms);
}

TEST_P(three_hosts, a_link_loses_the_share_that_it_is_told_to) {
  const connected_pair pair(lab);
  lose(client, server, 1);
  ASSERT_TRUE(says(pair.client));
  EXPECT_FALSE(lab.after(from(server) && to(client), 300ms));
  lose(client, server, 0);
  EXPECT_TRUE(lab.after(from(server) && acked(client, 1)));
  EXPECT_THROW(lose(client, server, 2), error);
}

TEST_P(three_hosts, forgotten_connections_are_lost_and_new_ones_get_through) {
  const connected_pair pair(lab);
  EXPECT_EQ(forget_connections(client, server, forgotten::silently), 1U);
  ASSERT_TRUE(says(pair.client));
  EXPECT_FALSE(lab.after(from(server) && to(client), 300ms));
  EXPECT_TRUE(reaches_server(client));
}

TEST_P(three_hosts, forgotten_connections_can_be_answered_with_resets) {
  const connected_pair pair(lab);
  EXPECT_EQ(forget_connections(server, client, forgotten::with_reset), 1U);
  ASSERT_TRUE(says(pair.client));
  ASSERT_TRUE(lab.after(reset() && to(client)));
  char byte;
  EXPECT_TRUE(lab.until([&] { return ::recv(pair.client.get(), &byte, 1, 0) < 0 && errno == ECONNRESET; }));
  EXPECT_TRUE(reaches_server(client));
}

TEST_P(three_hosts, connections_with_one_peer_are_reset_and_no_other) {
  const connected_pair pair(lab);
  EXPECT_EQ(reset_connections(server, other), 0U);
  EXPECT_EQ(reset_connections(server, client), 1U);
  EXPECT_TRUE(lab.after(from(server) && reset()));
}

TEST_P(three_hosts, a_frozen_host_acknowledges_and_says_nothing) {
  process& echo = server.start({{own_executable(), "acceptor"}, {}, {}});
  ASSERT_TRUE(lab.until_listening(server, 7));
  freeze(server);
  EXPECT_TRUE(reaches_server(client));
  EXPECT_TRUE(echo.output().empty()) << echo.output();
  thaw(server);
  EXPECT_FALSE(echo.ended());
}

TEST_P(three_hosts, a_name_moves_to_another_host) {
  move_name(server, other);
  process& asks = client.start({{"/bin/sh", "-c", "getent ahosts server"}, {}, {}});
  ASSERT_TRUE(lab.until_ended(asks));
  lab.until([&] { return !asks.output().empty(); });
  EXPECT_TRUE(asks.output().contains(other.address().to_string() + " ")) << asks.output();
  EXPECT_FALSE(asks.output().contains(server.address().to_string() + " ")) << asks.output();
  reboot(client);  // and so it stays
  process& again = client.start({{"/bin/sh", "-c", "getent ahosts server"}, {}, {}});
  ASSERT_TRUE(lab.until_ended(again));
  lab.until([&] { return !again.output().empty(); });
  EXPECT_TRUE(again.output().contains(other.address().to_string() + " "));
}

}  // namespace
}  // namespace halfopen::lab
