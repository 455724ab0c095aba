#include "audit/ending.hpp"

#include <gtest/gtest.h>

#include "audit/test_sockets.hpp"

namespace halfopen::audit {
namespace {

using namespace test;

/// The kernel's last words: so many bytes sent, so many of SYN and FIN acknowledged.
tcp_socket last_words(std::uint64_t bytes, std::uint64_t signs) {
  tcp_socket s = open_connection();
  s.state = socket_state::close;
  s.options.reset();
  s.figures->bytes_sent = bytes;
  s.figures->bytes_acked = bytes + signs;
  return s;
}

death of(const tcp_socket& last, const tcp_socket& before) {
  return end_of(last, &before, risk_of(before, machine()));
}

TEST(ending, syn_and_fin_acknowledged_is_an_orderly_end) {
  const death e = of(last_words(10, 2), open_connection());
  EXPECT_EQ(e.how, ending::completed);
  EXPECT_EQ(e.by, closer::unknown);
  EXPECT_FALSE(e.aborted);
  tcp_socket before = open_connection();
  before.state = socket_state::close_wait;
  EXPECT_EQ(of(last_words(10, 2), before).by, closer::peer);
  before.state = socket_state::fin_wait2;
  EXPECT_EQ(of(last_words(10, 2), before).by, closer::this_host);
}

TEST(ending, one_sign_is_the_syn_or_the_fin) {
  EXPECT_TRUE(of(last_words(10, 1), open_connection()).aborted) << "this host has sent the SYN";
  tcp_socket served = open_connection();
  served.opened_by = side::peer;
  EXPECT_EQ(of(last_words(10, 1), served).how, ending::completed);
  served.opened_by = side::unknown;
  const death e = of(last_words(10, 1), served);
  EXPECT_FALSE(e.how);
  EXPECT_FALSE(e.aborted) << "that is not known either";
  EXPECT_TRUE(of(last_words(10, 0), served).aborted);
  EXPECT_FALSE(end_of(last_words(10, 1), nullptr, {}).how == ending::peer_vanished);
}

TEST(ending, figures_that_do_not_add_up_tell_nothing) {
  const death e = of(last_words(10, 7), open_connection());
  EXPECT_FALSE(e.how);
  EXPECT_FALSE(e.aborted);
  tcp_socket no_figures = open_connection();
  no_figures.figures.reset();
  EXPECT_FALSE(of(no_figures, open_connection()).opened);
}

TEST(ending, silence_as_long_as_its_options_say_is_a_vanished_peer) {
  tcp_socket last = last_words(10, 0);
  last.send_queue = 10;
  last.figures->retransmits = 15;
  last.figures->since_ack = last.figures->since_received = 930s;
  const death e = of(last, open_connection());
  EXPECT_EQ(e.how, ending::peer_vanished);
  EXPECT_EQ(e.by, closer::timer);
  EXPECT_EQ(e.silence, 930s);
  last.figures->since_ack = 100s;
  EXPECT_FALSE(of(last, open_connection()).how) << "a reset, by whoever";
  EXPECT_TRUE(of(last, open_connection()).aborted);
  EXPECT_FALSE(end_of(last, nullptr, {}).how) << "nobody knows its options";
}

TEST(ending, probes_unanswered_are_too) {
  tcp_socket last = last_words(0, 1);
  last.figures->probes = 3;
  last.figures->since_ack = last.figures->since_received = 60s;
  EXPECT_EQ(of(last, with_keepalive(30s, 10s, 3)).how, ending::peer_vanished);
  last.figures->since_ack = 40s;
  EXPECT_FALSE(of(last, with_keepalive(30s, 10s, 3)).how);
}

TEST(ending, of_a_connect) {
  tcp_socket last = last_words(0, 0);
  last.figures->round_trip = {};
  last.figures->retransmits = 6;
  const death e = of(last, open_connection());
  EXPECT_FALSE(e.opened);
  EXPECT_FALSE(e.how);
  EXPECT_EQ(e.repeated, 6u);
}

TEST(names, of_closers) {
  EXPECT_EQ(to_string(closer::timer), "timer");
  EXPECT_EQ(to_string(static_cast<closer>(9)), "?");
}

}  // namespace
}  // namespace halfopen::audit
