#include <gtest/gtest.h>

#include "audit/test_sockets.hpp"

namespace halfopen::audit {
namespace {

using namespace test;

TEST(groups, a_pool_alike_is_one_line) {
  snapshot m = machine();
  for (std::uint16_t i = 0; i < 40; ++i) {
    tcp_socket s = open_connection();
    s.local.port = static_cast<std::uint16_t>(40000 + i);
    s.figures->rto = milliseconds(204 + i);  // round trips differ
    s.figures->since_sent = s.figures->since_received = std::chrono::seconds(i + 1);
    m.sockets.push_back(s);
  }
  const auto all = groups_of(m);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].sockets.size(), 40u);
  EXPECT_EQ(all[0].remote, at("10.0.0.2", 5432));
  EXPECT_EQ(all[0].local.port, 0) << "several";
  EXPECT_EQ(all[0].idle_least, 1s);
  EXPECT_EQ(all[0].idle_most, 40s);
  EXPECT_GT(*all[0].at_risk.in_flight.least, 928'692ms) << "the worst of them";
}

TEST(groups, other_options_other_peers_and_other_processes_are_apart) {
  snapshot m = machine();
  m.processes.push_back(m.processes[0]);
  m.sockets = {open_connection(), with_keepalive(30s, 10s, 3), with_keepalive(60s, 10s, 3), open_connection(),
               open_connection()};
  m.sockets[3].remote.port = 6379;
  m.sockets[4].process = 1;
  EXPECT_EQ(groups_of(m).size(), 5u);
}

TEST(groups, clients_that_came_in_by_one_door_are_one_line) {
  snapshot m = machine();
  for (const char* from : {"10.0.0.7", "10.0.0.8"}) {
    tcp_socket s = open_connection();
    s.opened_by = side::peer;
    s.local = at("10.0.0.1", 80);
    s.remote = at(from, 50000);
    m.sockets.push_back(s);
  }
  const auto all = groups_of(m);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_FALSE(all[0].one_peer);
  EXPECT_EQ(all[0].local.port, 80);
}

TEST(groups, the_worst_is_first) {
  snapshot m = machine();
  tcp_socket home = open_connection();
  home.remote = at("127.0.0.1", 80);
  tcp_socket past = listener();
  past.dropped = 1;
  m.sockets = {home, with_keepalive(30s, 10s, 3), open_connection(),
               past, retransmitting(2),           with_keepalive(60s, 10s, 3)};
  const auto all = groups_of(m);
  ASSERT_EQ(all.size(), 6u);
  const std::vector<std::uint32_t> order{4, 3, 2, 5, 1, 0};
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(all[i].sockets[0], order[i]) << i;
}

TEST(groups, of_which_some_are_dead_are_a_pool_that_hands_them_out) {
  snapshot m = machine();
  m.sockets = {retransmitting(3), open_connection(), open_connection()};
  auto all = groups_of(m);
  ASSERT_EQ(all.size(), 2u);
  ASSERT_EQ(all[0].faults.size(), 2u);
  EXPECT_EQ(all[0].faults[1].what, wrong::pool_partly_dead);
  EXPECT_EQ(all[0].faults[1].count, 2u);
  EXPECT_TRUE(all[1].faults.empty());

  m.sockets.pop_back();
  EXPECT_EQ(groups_of(m)[0].faults.size(), 1u) << "two are no pool";
  m.sockets = {retransmitting(3), retransmitting(3), retransmitting(3)};
  EXPECT_EQ(groups_of(m)[0].faults.size(), 1u) << "all of them are dead";
  m.sockets = {retransmitting(3), open_connection(), open_connection()};
  for (tcp_socket& s : m.sockets) s.opened_by = side::peer;
  EXPECT_EQ(groups_of(m)[0].faults.size(), 1u) << "clients are no pool";
}

TEST(groups, the_worst_of_alike_faults_is_told) {
  snapshot m = machine();
  m.sockets = {retransmitting(2), retransmitting(4)};
  const auto all = groups_of(m);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].faults[0].count, 4u);
  EXPECT_EQ(all[0].bytes_in_flight, 20u);
}

TEST(groups, those_that_wait_count_to_their_listener) {
  snapshot m = machine();
  tcp_socket door = listener();
  door.receive_queue = 1;
  m.sockets = {door, waiting_at_listener(9s)};
  auto all = groups_of(m);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].faults[0].what, wrong::not_accepting);
  EXPECT_EQ(all[0].state, socket_state::listen);

  m.sockets[0].local = at("10.0.0.9", 80);
  EXPECT_TRUE(groups_of(m).empty()) << "another address";
  m.sockets[0].local = at("10.0.0.1", 80);
  EXPECT_EQ(groups_of(m).size(), 1u);
  m.sockets[0].local = at("::", 80);
  EXPECT_EQ(groups_of(m).size(), 1u) << "an IPv6 listener takes IPv4 too";
  m.sockets[0].local.port = 81;
  EXPECT_TRUE(groups_of(m).empty());
}

TEST(groups, never_is_worse_than_any_length_and_kept) {
  snapshot m = machine();
  m.sockets = {open_connection(), open_connection()};
  EXPECT_EQ(groups_of(m)[0].at_risk.idle.by, rule::nothing);
}

}  // namespace
}  // namespace halfopen::audit
