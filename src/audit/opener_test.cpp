#include "audit/opener.hpp"

#include <gtest/gtest.h>

#include "audit/test_sockets.hpp"

namespace halfopen::audit {
namespace {

using namespace test;

TEST(opener, the_syn_is_counted_as_a_byte) {
  tcp_socket s = open_connection();
  EXPECT_EQ(opener_of(s, {}), side::this_host);
  s.figures->bytes_acked = 0;
  EXPECT_EQ(opener_of(s, {}), side::peer);
  s.figures->bytes_sent = 100;
  s.send_queue = 30;
  s.figures->not_sent = 10;
  s.figures->bytes_acked = 80;
  EXPECT_EQ(opener_of(s, {}), side::peer);
  s.figures->bytes_acked = 81;
  EXPECT_EQ(opener_of(s, {}), side::this_host);
  s.figures->bytes_sent += 20;
  s.figures->bytes_repeated = 20;
  EXPECT_EQ(opener_of(s, {}), side::this_host);
}

TEST(opener, where_the_counters_do_not_tell_the_listener_does) {
  tcp_socket s = open_connection();
  s.local = at("10.0.0.1", 80);
  s.figures->bytes_acked = 77;
  const std::vector<tcp_socket> all{listener(), s};
  const auto ports = listening_ports(all);
  EXPECT_EQ(opener_of(s, ports), side::peer);
  EXPECT_EQ(opener_of(s, {}), side::unknown);
  s.network = 1;
  EXPECT_EQ(opener_of(s, ports), side::unknown) << "another namespace's listener";
  s.figures->bytes_sent = 1;
  s.send_queue = 5;
  EXPECT_EQ(opener_of(s, {}), side::unknown);
  s.figures.reset();
  EXPECT_EQ(opener_of(s, {}), side::unknown);
}

TEST(opener, the_state_tells) {
  tcp_socket s = open_connection();
  s.state = socket_state::syn_sent;
  EXPECT_EQ(opener_of(s, {}), side::this_host);
  s.state = socket_state::syn_recv;
  EXPECT_EQ(opener_of(s, {}), side::peer);
  s.state = socket_state::fin_wait2;
  EXPECT_EQ(opener_of(s, {}), side::unknown);
  EXPECT_EQ(opener_of(listener(), {}), side::unknown);
}

}  // namespace
}  // namespace halfopen::audit
