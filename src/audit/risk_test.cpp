#include <gtest/gtest.h>

#include "audit/test_sockets.hpp"

namespace halfopen::audit {
namespace {

using namespace test;

TEST(risk, without_options_it_is_never_noticed_while_idle) {
  const risk r = risk_of(open_connection(), machine());
  EXPECT_EQ(r.idle.by, rule::nothing);
  EXPECT_FALSE(r.idle.least);
  EXPECT_EQ(r.in_flight.by, rule::retries2);
  EXPECT_EQ(r.in_flight.least, 928'692ms);
  EXPECT_EQ(r.now, r.idle);
  EXPECT_EQ(&r.worst(open_connection()), &r.idle);
}

TEST(risk, keepalive_counts_its_probes) {
  const tcp_socket s = with_keepalive(30s, 10s, 3);
  const risk r = risk_of(s, machine());
  EXPECT_EQ(r.idle.by, rule::keepalive);
  EXPECT_EQ(r.idle.least, 60s);
  EXPECT_EQ(r.now.least, 59s) << "a second is over";
  EXPECT_EQ(&r.worst(s), &r.in_flight);
}

TEST(risk, a_user_timeout_decides_both) {
  const risk r = risk_of(with_keepalive(4s, 2s, 3, 9800ms), machine());
  EXPECT_EQ(r.idle.by, rule::keepalive_and_user_timeout);
  EXPECT_EQ(r.idle.least, 10s);
  EXPECT_EQ(r.in_flight.by, rule::user_timeout);
  EXPECT_EQ(r.in_flight.least, 10'004ms);
}

TEST(risk, in_flight_now_is_the_rest) {
  const snapshot m = machine();
  const risk r = risk_of(retransmitting(3), m);
  EXPECT_EQ(r.in_flight.least, 928'692ms) << "the timer is taken without its doublings";
  // 204 + 408 + 816 ms, and 1532 of the 1632 ms that run now, are over.
  EXPECT_EQ(r.now.least, 928'692ms - 204ms - 408ms - 816ms - 1532ms);
  tcp_socket just_written = open_connection();
  just_written.send_queue = 5;
  EXPECT_EQ(risk_of(just_written, m).now.least, 928'692ms);
}

TEST(risk, a_closed_window_is_probed) {
  tcp_socket s = open_connection();
  s.running = timer::zero_window;
  s.timer_left = 100ms;
  s.send_queue = 5;
  s.figures->not_sent = 5;
  s.figures->window_is_closed = true;
  EXPECT_EQ(risk_of(s, machine()).now.by, rule::retries2);
  EXPECT_GT(risk_of(s, machine()).now.least, 900s);
}

TEST(risk, connecting_is_by_the_syns) {
  tcp_socket s = open_connection();
  s.state = socket_state::syn_sent;
  s.running = timer::retransmission;
  s.timer_left = 2s;
  s.figures->retransmits = 5;
  s.options->syn_retries = 6;
  const risk r = risk_of(s, machine());
  EXPECT_EQ(r.connecting.by, rule::syn_retries);
  EXPECT_EQ(r.connecting.least, 131s);
  EXPECT_EQ(r.now.least, 131s - 7s + 2s);
  EXPECT_EQ(&r.worst(s), &r.connecting);
  s.options->syn_retries = 1;
  EXPECT_EQ(risk_of(s, machine()).connecting.least, 3s);
  s.options->live.user_timeout = 2800ms;
  EXPECT_EQ(risk_of(s, machine()).connecting.by, rule::user_timeout);
  s.running = timer::none;
  EXPECT_FALSE(risk_of(s, machine()).now.known());
}

TEST(risk, what_was_not_read_is_not_known) {
  tcp_socket s = open_connection();
  s.options.reset();
  const risk r = risk_of(s, machine());
  for (const notice* n : {&r.idle, &r.in_flight, &r.connecting, &r.now}) EXPECT_FALSE(n->known());

  snapshot no_settings = machine();
  no_settings.networks[0].timers.reset();
  EXPECT_TRUE(risk_of(open_connection(), no_settings).idle.known()) << "keepalive is the socket's own";
  EXPECT_FALSE(risk_of(open_connection(), no_settings).in_flight.known());
  EXPECT_FALSE(risk_of(retransmitting(2), no_settings).now.known());
  EXPECT_TRUE(risk_of(with_keepalive(4s, 2s, 3, 9800ms), no_settings).in_flight.known());
  tcp_socket connects = open_connection();
  connects.state = socket_state::syn_sent;
  EXPECT_FALSE(risk_of(connects, no_settings).connecting.known());
}

TEST(risk, the_sockets_own_limit_of_the_timer_counts) {
  tcp_socket s = open_connection();
  s.options->rto_max = 1000ms;
  EXPECT_LT(risk_of(s, machine()).in_flight.least, 16s);
}

TEST(within_a_time, all_or_one_or_not_known) {
  snapshot m = machine();
  EXPECT_EQ(all_notice_within(m, 30s), within::yes);
  m.sockets.push_back(with_keepalive(4s, 2s, 3, 9800ms));
  EXPECT_EQ(all_notice_within(m, 30s), within::yes);
  EXPECT_EQ(all_notice_within(m, 9s), within::no);
  tcp_socket unknown = open_connection();
  unknown.options.reset();
  m.sockets.push_back(unknown);
  EXPECT_EQ(all_notice_within(m, 30s), within::not_known);
  m.sockets.push_back(open_connection());
  EXPECT_EQ(all_notice_within(m, 30s), within::no);
}

TEST(within_a_time, only_connections_to_others_count) {
  const snapshot m = machine();
  const auto of = [&](const tcp_socket& s) { return notices_within(s, risk_of(s, m), 30s); };
  EXPECT_EQ(of(open_connection()), within::no);
  EXPECT_EQ(of(with_keepalive(4s, 2s, 3)), within::no) << "fifteen minutes with data in flight";
  EXPECT_EQ(of(listener()), std::nullopt);
  EXPECT_EQ(of(waiting_at_listener(1s)), std::nullopt);
  tcp_socket s = open_connection();
  s.remote = at("127.0.0.9", 80);
  EXPECT_EQ(of(s), std::nullopt);
  s.remote = at("::1", 80);
  EXPECT_EQ(of(s), std::nullopt);
  s.remote = s.local;
  EXPECT_EQ(of(s), std::nullopt);
  s = open_connection();
  s.state = socket_state::close_wait;
  EXPECT_EQ(of(s), std::nullopt) << "its peer has ended it already";
  s = open_connection();
  s.state = socket_state::syn_sent;
  s.running = timer::retransmission;
  EXPECT_EQ(of(s), within::no);
  s.options->live.user_timeout = 20s;
  EXPECT_EQ(of(s), within::yes);
}

TEST(within_a_time, is_not_known_where_connections_may_be_hidden) {
  snapshot m = machine();
  EXPECT_EQ(all_notice_within(m, 30s), within::yes);
  m.not_seen.push_back({1, "app", obstacle::options, false});
  EXPECT_EQ(all_notice_within(m, 30s), within::yes);
  m.not_seen[0].connections = true;
  EXPECT_EQ(all_notice_within(m, 30s), within::not_known);
  m.sockets = {open_connection()};
  EXPECT_EQ(all_notice_within(m, 30s), within::no);
  snapshot closed = machine();
  closed.networks.emplace_back().name = "box";
  EXPECT_EQ(all_notice_within(closed, 30s), within::not_known);
}

}  // namespace
}  // namespace halfopen::audit
