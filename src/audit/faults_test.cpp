#include <gtest/gtest.h>

#include "audit/test_sockets.hpp"

namespace halfopen::audit {
namespace {

using namespace test;

std::vector<fault> found(const tcp_socket& s, std::vector<const tcp_socket*> waiting = {}) {
  return faults_of(s, machine(), {}, waiting);
}

/// One fault of that kind and no other.
testing::AssertionResult is_one(const std::vector<fault>& all, wrong what) {
  if (all.size() == 1 && all[0].what == what) return testing::AssertionSuccess();
  auto no = testing::AssertionFailure() << all.size() << " faults:";
  for (const fault& f : all) no << ' ' << to_string(f.what);
  return no;
}

TEST(faults, an_idle_connection_has_none) {
  EXPECT_TRUE(found(open_connection()).empty());
  EXPECT_TRUE(found(with_keepalive(30s, 10s, 3)).empty());
  tcp_socket s = open_connection();
  s.figures.reset();
  EXPECT_TRUE(found(s).empty());
}

TEST(faults, one_repetition_is_loss_two_are_silence) {
  EXPECT_TRUE(found(retransmitting(1)).empty());
  const auto f = found(retransmitting(2));
  ASSERT_TRUE(is_one(f, wrong::retransmitting));
  EXPECT_EQ(f[0].count, 2u);
  EXPECT_EQ(f[0].lasted, 1s);
  EXPECT_EQ(f[0].ends.by, rule::retries2);
  tcp_socket nothing_out = retransmitting(2);
  nothing_out.figures->in_flight = 0;
  EXPECT_TRUE(found(nothing_out).empty());
}

TEST(faults, a_probe_on_its_way_is_none) {
  tcp_socket s = with_keepalive(30s, 10s, 3);
  s.figures->probes = 1;
  s.timer_left = 9900ms;
  EXPECT_TRUE(found(s).empty()) << "its answer may be under way";
  s.timer_left = 5s;
  EXPECT_TRUE(is_one(found(s), wrong::probes_unanswered));
  s.options.reset();
  EXPECT_TRUE(found(s).empty()) << "nobody knows how long ago it was sent";
  s.figures->probes = 2;
  EXPECT_TRUE(is_one(found(s), wrong::probes_unanswered));
}

TEST(faults, a_connect_that_nobody_answers) {
  tcp_socket s = open_connection();
  s.state = socket_state::syn_sent;
  s.running = timer::retransmission;
  s.timer_left = 400ms;
  s.figures->retransmits = 1;
  EXPECT_TRUE(found(s).empty());
  s.figures->retransmits = 2;
  const auto f = found(s);
  ASSERT_TRUE(is_one(f, wrong::connect_unanswered));
  EXPECT_EQ(f[0].lasted, 2600ms);
}

tcp_socket closed_window(milliseconds since) {
  tcp_socket s = open_connection();
  s.running = timer::zero_window;
  s.send_queue = s.figures->not_sent = 100;
  s.figures->since_sent = s.figures->window_closed = since;
  s.figures->window_is_closed = true;
  s.figures->backoff = 9;
  return s;
}

TEST(faults, a_window_closed_for_long) {
  EXPECT_TRUE(is_one(found(closed_window(11s)), wrong::zero_window));
  EXPECT_TRUE(found(closed_window(9s)).empty());
  tcp_socket s = closed_window(11s);
  s.figures->backoff = 2;  // at most 0.2 + 0.4 + 0.8 s of probing
  EXPECT_TRUE(found(s).empty())
      << "it was closed earlier, open in between, and is closed again since a second";
  s = closed_window(11s);
  s.figures->window_closed = 2s;
  EXPECT_TRUE(found(s).empty());
  s = closed_window(11s);
  s.figures->window_is_closed = false;
  EXPECT_TRUE(found(s).empty());
  s.figures->window_is_closed.reset();
  EXPECT_TRUE(is_one(found(s), wrong::zero_window)) << "a kernel that does not say; the timer does";
  s.send_queue = 0;
  EXPECT_TRUE(found(s).empty());
}

TEST(faults, close_wait_for_long_and_quiet) {
  tcp_socket s = open_connection();
  s.state = socket_state::close_wait;
  EXPECT_TRUE(found(s).empty()) << "a second ago";
  s.figures->since_ack = s.figures->since_received = s.figures->since_sent = 61s;
  s.receive_queue = 1;
  const auto f = found(s);
  ASSERT_TRUE(is_one(f, wrong::close_wait));
  EXPECT_EQ(f[0].lasted, 61s);
  EXPECT_EQ(f[0].count, 1u);
  s.figures->since_sent = 1s;
  EXPECT_TRUE(found(s).empty()) << "it still sends its reply";
  s.figures->since_sent = 61s;
  s.send_queue = 1;
  EXPECT_TRUE(found(s).empty()) << "it still has some of it to send";
}

TEST(faults, what_nobody_holds_any_more) {
  tcp_socket s = open_connection();
  s.state = socket_state::fin_wait2;
  s.inode = 0;
  s.timer_left = 55s;
  EXPECT_TRUE(found(s).empty());
  s.timer_left = 45s;
  const auto f = found(s);
  ASSERT_TRUE(is_one(f, wrong::orphan));
  EXPECT_EQ(f[0].ends.least, 45s);
  s.inode = 7;
  EXPECT_TRUE(found(s).empty()) << "a program waits for the peer's last words";
  tcp_socket last = retransmitting(2);
  last.state = socket_state::last_ack;
  last.inode = 0;
  EXPECT_TRUE(is_one(found(last), wrong::orphan));
  snapshot no_settings = machine();
  no_settings.networks[0].fin_timeout.reset();
  s.inode = 0;
  EXPECT_TRUE(faults_of(s, no_settings, {}).empty());
}

TEST(faults, gone_and_not_closed) {
  tcp_socket s = open_connection();
  s.state = socket_state::close;
  s.gone_for = 1s;
  const auto f = found(s);
  ASSERT_TRUE(is_one(f, wrong::gone_not_closed));
  EXPECT_EQ(f[0].lasted, 1s);
  s.inode = 0;
  EXPECT_TRUE(found(s).empty());
}

TEST(faults, of_a_listener) {
  EXPECT_TRUE(found(listener()).empty());
  const tcp_socket fresh = waiting_at_listener(1s);
  const tcp_socket old = waiting_at_listener(6s);
  tcp_socket unread = waiting_at_listener(6s);
  unread.figures.reset();
  EXPECT_TRUE(found(listener(), {&fresh, &unread}).empty());
  const auto f = found(listener(), {&fresh, &old});
  ASSERT_TRUE(is_one(f, wrong::not_accepting));
  EXPECT_EQ(f[0].count, 1u);
  EXPECT_EQ(f[0].lasted, 6s);
  tcp_socket full = listener();
  full.receive_queue = 4;
  EXPECT_TRUE(found(full).empty()) << "as many as the backlog";
  full.receive_queue = 5;
  full.dropped = 3;
  EXPECT_TRUE(is_one(found(full), wrong::accept_queue_full));
  full.receive_queue = 0;
  EXPECT_TRUE(is_one(found(full), wrong::accept_queue_overflowed));
  full.dropped.reset();
  EXPECT_TRUE(found(full).empty());
}

TEST(patience, may_be_one_for_all) {
  tcp_socket s = open_connection();
  s.state = socket_state::close_wait;
  EXPECT_EQ(faults_of(s, machine(), patience::of(1s)).size(), 1u);
}

TEST(names, every_value_has_one) {
  for (std::size_t i = 0; i < wrongs; ++i) EXPECT_NE(to_string(static_cast<wrong>(i)), "?");
  EXPECT_EQ(to_string(static_cast<wrong>(wrongs)), "?");
  EXPECT_EQ(to_string(wrong::pool_partly_dead), "pool_partly_dead");
  EXPECT_EQ(to_string(socket_state::new_syn_recv), "new_syn_recv");
  EXPECT_EQ(to_string(rule::not_known), "not_known");
  EXPECT_EQ(to_string(side::peer), "peer");
}

}  // namespace
}  // namespace halfopen::audit
