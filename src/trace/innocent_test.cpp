// Ordinary traffic of systems, tools and capture points that looks like somebody's fault, and is
// nobody's. What is asserted here is who is not accused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/conversation.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;
using std::chrono::seconds;

constexpr side opener = side::opener;
constexpr side responder = side::responder;

MATCHER(accuses_nobody, "") {
  *result_listener << to_string(arg.how) << " by " << to_string(arg.by) << ", ended " << arg.ended << ": "
                   << arg.why;
  for (const manner m :
       {manner::middlebox_reset, manner::unread_data, manner::keepalive_failure, manner::time_wait_reuse})
    if (arg.has(m)) return false;
  if (!arg.ended) return true;
  return arg.by != culprit::middlebox && arg.how != ending::peer_rebooted &&
         arg.how != ending::peer_vanished && arg.how != ending::peer_closed;
}

conversation talk() {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 20).ack(opener);
  return c;
}
segment reset_of(conversation& c, side s, std::uint32_t beyond = 0) {
  return {.sequence = c.next(s) + beyond, .acknowledgement = c.heard(s), .flags = rst | ack};
}

TEST(innocent, one_direction_of_a_connection_that_lives) {
  conversation c;  // from its middle: probes whose answers go another way
  for (int i = 0; i < 8; ++i)
    c.wait(seconds(75)).segment_of(opener, {.sequence = 4999, .acknowledgement = 900'001, .payload = 1});
  EXPECT_THAT(c.told({.capture_end = c.now() + seconds(500)}), accuses_nobody());
}

TEST(innocent, one_direction_of_a_connection_that_ends) {
  conversation c;  // the other side's FIN went another way
  c.syn().segment_of(opener, {.sequence = 1001, .acknowledgement = 900'001});
  c.segment_of(opener, {.sequence = 1001, .acknowledgement = 900'001, .flags = fin | ack});
  const story s = c.told({.capture_end = c.now() + seconds(500)});
  EXPECT_THAT(s, accuses_nobody());
  EXPECT_FALSE(s.has(manner::half_closed_long));
  EXPECT_FALSE(s.half_open_for);
}

TEST(innocent, keepalive_that_is_answered_until_the_capture_ends) {
  conversation c = talk();
  for (int i = 0; i < 5; ++i) c.wait(seconds(60)).probe(opener, i % 2 == 0 ? 0 : 1).ack(responder);
  EXPECT_THAT(c.wait(seconds(60)).probe(opener).told(), accuses_nobody());
}

TEST(innocent, fast_open) {
  conversation c;
  c.segment_of(opener, {.sequence = 1000, .flags = syn, .payload = 10});
  c.segment_of(responder, {.sequence = 900'000, .acknowledgement = 1011, .flags = syn | ack});
  c.segment_of(opener, {.sequence = 1011, .acknowledgement = 900'001});
  c.segment_of(responder, {.sequence = 900'001, .acknowledgement = 1011, .payload = 30});
  c.segment_of(opener, {.sequence = 1011, .acknowledgement = 900'031, .flags = fin | ack});
  c.segment_of(responder, {.sequence = 900'031, .acknowledgement = 1012, .flags = fin | ack});
  c.segment_of(opener, {.sequence = 1012, .acknowledgement = 900'032});
  EXPECT_THAT(c.told(), accuses_nobody());
  EXPECT_EQ(c.told().how, ending::completed);
  EXPECT_EQ(c.all().size(), 1U);
}

TEST(innocent, both_open_at_once) {
  conversation c;
  c.syn();
  c.segment_of(responder, {.sequence = 900'000, .flags = syn});
  c.segment_of(opener, {.sequence = 1000, .acknowledgement = 900'001, .flags = syn | ack});
  c.segment_of(responder, {.sequence = 900'000, .acknowledgement = 1001, .flags = syn | ack});
  EXPECT_THAT(c.told(), accuses_nobody());
  EXPECT_EQ(c.all().size(), 1U);
}

TEST(innocent, a_storm_of_resets) {
  conversation c = talk();
  for (int i = 0; i < 20; ++i) c.segment_of(responder, reset_of(c, responder));
  EXPECT_THAT(c.told(), accuses_nobody());
  EXPECT_EQ(c.told().by, culprit::responder);
}

TEST(innocent, a_host_that_answers_every_late_segment_by_an_rst) {
  conversation c = talk();
  c.data(opener, 100).data(opener, 100).data(opener, 100).abort(responder);
  for (int i = 0; i < 3; ++i)
    c.segment_of(responder, {.sequence = c.heard(opener), .flags = rst, .window = 0});
  EXPECT_THAT(c.told(), accuses_nobody());
}

TEST(innocent, a_system_whose_resets_have_a_ttl_of_their_own) {
  conversation c = talk();
  for (int i = 0; i < 10; ++i) c.data(responder, 100).ack(opener);
  const story s = c.forged(responder, reset_of(c, responder), 255).told();
  EXPECT_THAT(s, accuses_nobody());
  EXPECT_TRUE(s.has(doubt::forged_packets));
}

TEST(innocent, another_way_through_the_net_half_way) {
  conversation c = talk();
  for (int i = 0; i < 4; ++i)
    c.forged(responder, {.sequence = c.next(responder), .acknowledgement = c.heard(responder)}, 61);
  EXPECT_THAT(c.forged(responder, reset_of(c, responder), 60).told(), accuses_nobody());
}

TEST(innocent, the_last_segment_before_the_reset_was_not_captured) {
  conversation c = talk();
  c.data(responder, 5).data(responder, 5).ack(opener);
  EXPECT_THAT(c.give(tcp_packet(server, client, reset_of(c, responder, 1460), {.id = 40'000})).told(),
              accuses_nobody());
}

TEST(innocent, a_client_that_gives_up_waiting_for_an_answer) {
  conversation c;
  c.handshake().data(opener, 10).ack(responder).wait(seconds(30)).fin(opener).ack(responder).wait(seconds(2));
  EXPECT_THAT(c.abort(opener).told(), accuses_nobody());
}

TEST(innocent, a_browser_that_closes_by_fin_and_rst) {
  conversation c = talk();
  c.fin(responder).ack(opener).fin(opener).abort(opener);
  EXPECT_THAT(c.told(), accuses_nobody());
  conversation at_once = talk();
  at_once.fin(opener).abort(opener);
  EXPECT_THAT(at_once.told(), accuses_nobody());
  EXPECT_EQ(at_once.told().how, ending::completed);
}

TEST(innocent, a_load_balancer_that_asks_whether_the_port_is_open) {
  conversation c;
  c.handshake().abort(opener);
  EXPECT_THAT(c.told(), accuses_nobody());
  conversation half;
  half.syn().syn_ack().segment_of(opener, {.sequence = 1001, .flags = rst, .window = 0});
  EXPECT_THAT(half.told(), accuses_nobody());
  EXPECT_TRUE(half.told().has(manner::connect_cancelled));
}

TEST(innocent, a_short_outage_at_the_end_of_the_capture) {
  conversation c = talk();
  c.data(opener, 10);
  for (int i = 0; i < 3; ++i) c.wait(milliseconds{200 << i}).again(opener);
  EXPECT_THAT(c.told(), accuses_nobody());
  EXPECT_TRUE(c.told().has(doubt::unanswered));
}

TEST(innocent, logs_are_taken_without_an_answer) {
  conversation c;
  c.handshake().data(opener, 500).ack(responder).data(opener, 500).ack(responder);
  c.fin(responder).ack(opener).fin(opener).ack(responder);
  EXPECT_THAT(c.told(), accuses_nobody());
}

TEST(innocent, ports_that_are_used_again_by_a_connection_whose_syn_was_not_captured) {
  conversation c = talk();
  c.abort(responder);
  c.segment_of(responder, {.sequence = 901'500, .acknowledgement = 77'000, .payload = 100});
  EXPECT_THAT(c.told(), accuses_nobody());
}

TEST(innocent, a_radio_that_sends_a_frame_again) {
  conversation c = talk();
  c.data(opener, 10).captured_again(opener).captured_again(opener).captured_again(opener);
  EXPECT_THAT(c.told({.capture_end = c.now() + seconds(5)}), accuses_nobody());
  EXPECT_EQ(c.opener().retransmissions, 0U);
}

TEST(innocent, a_kernel_that_refuses_what_a_honeypot_accepts) {
  conversation c;
  c.syn().no_such_socket(responder);
  c.segment_of(responder, {.sequence = 900'000, .acknowledgement = 1001, .flags = syn | ack});
  c.segment_of(opener, {.sequence = 1001, .acknowledgement = 900'001});
  c.segment_of(opener, {.sequence = 1001, .acknowledgement = 900'001, .payload = 10});
  c.segment_of(responder, {.sequence = 900'001, .acknowledgement = 1011, .payload = 10});
  EXPECT_THAT(c.told(), accuses_nobody());
  EXPECT_FALSE(c.told().ended) << c.told().why;
}

}  // namespace
}  // namespace halfopen::trace
