#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/conversation.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr side opener = side::opener;
constexpr side responder = side::responder;

conversation talking() {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 20).ack(opener);
  return c;
}

std::string why(const story& s, manner m) {
  for (const auto& r : s.manners)
    if (r.what == m) return r.why;
  return "(no such remark)";
}
std::string why(const story& s, doubt d) {
  for (const auto& r : s.doubts)
    if (r.what == d) return r.why;
  return "(no such doubt)";
}

TEST(remarks, an_orderly_end_has_none) {
  const story s = talking().fin(opener).ack(responder).fin(responder).ack(opener).told();
  EXPECT_THAT(s.manners, IsEmpty());
  EXPECT_THAT(s.doubts, IsEmpty());
}

TEST(remarks, a_syn_that_nobody_answered) {
  conversation once, again;
  EXPECT_TRUE(once.syn().told().has(manner::never_answered));
  EXPECT_TRUE(again.syn().wait(seconds(1)).again(opener).told().has(manner::never_answered));
  conversation refused, icmp;
  EXPECT_FALSE(refused.syn().no_such_socket(responder).told().has(manner::never_answered));
  EXPECT_FALSE(icmp.syn().icmp(opener, 1).told().has(manner::never_answered));
}

TEST(remarks, half_closed_for_a_minute) {
  conversation c = talking();
  c.fin(opener).ack(responder).wait(seconds(59));
  EXPECT_FALSE(c.data(responder, 5).told().has(manner::half_closed_long));
  c.wait(seconds(1)).fin(responder);
  EXPECT_TRUE(c.told().has(manner::half_closed_long)) << c.told().why;
  EXPECT_THAT(why(c.told(), manner::half_closed_long), HasSubstr("FIN in packet 7"));
}

TEST(remarks, an_rst_with_another_ttl_is_a_middleboxs) {
  conversation c = talking();
  const segment forged{
      .sequence = c.next(responder), .acknowledgement = c.heard(responder), .flags = rst | ack};
  const story s = c.forged(responder, forged, 250).told();
  EXPECT_EQ(s.by, culprit::middlebox);
  EXPECT_EQ(s.how, ending::peer_reset);
  EXPECT_TRUE(s.has(manner::middlebox_reset));
  EXPECT_TRUE(s.has(doubt::forged_packets));
  EXPECT_THAT(s.why, HasSubstr("its TTL is 250, and that of the other packets 63"));
  conversation same = talking();
  EXPECT_EQ(same.forged(responder, forged, 63).told().by, culprit::responder);
}

TEST(remarks, an_rst_with_a_number_that_its_host_had_not_reached) {
  conversation c = talking();
  const std::uint32_t wrong = c.next(responder) + 5000;
  const story s =
      c.segment_of(responder, {.sequence = wrong, .acknowledgement = c.heard(responder), .flags = rst | ack})
          .told();
  EXPECT_EQ(s.by, culprit::middlebox);
  EXPECT_THAT(s.why, HasSubstr("sequence number"));
}

TEST(remarks, a_host_that_goes_on_after_its_rst_did_not_send_it) {
  conversation c = talking();
  c.abort(responder);
  EXPECT_EQ(c.told().by, culprit::responder);
  c.data(responder, 30);
  EXPECT_EQ(c.told().by, culprit::middlebox);
  EXPECT_THAT(c.told().why, HasSubstr("1 segments of the same host follow it"));
}

TEST(remarks, an_ip_identification_out_of_its_row) {
  const auto with_id = [](unsigned id) {
    conversation c = talking();
    c.data(responder, 5).data(responder, 5).data(responder, 5).ack(opener);
    const segment reset{
        .sequence = c.next(responder), .acknowledgement = c.heard(responder), .flags = rst | ack};
    return c.give(tcp_packet(server, client, reset, {.id = id})).told().by;
  };
  EXPECT_EQ(with_id(20), culprit::responder);
  EXPECT_EQ(with_id(0), culprit::responder) << "Linux has 0 where no socket is";
  EXPECT_EQ(with_id(40'000), culprit::middlebox);
}

TEST(remarks, a_window_that_stays_closed) {
  conversation c = talking();
  const segment closed{.sequence = c.next(responder), .acknowledgement = c.heard(responder), .window = 0};
  c.segment_of(responder, closed).wait(seconds(1)).probe(opener).segment_of(responder, closed);
  const story s = c.told();
  EXPECT_FALSE(s.ended);
  EXPECT_TRUE(s.has(manner::zero_window_stall));
  EXPECT_THAT(why(s, manner::zero_window_stall), HasSubstr("the responder was closed in packet 7"));
  c.ack(responder);
  EXPECT_FALSE(c.told().has(manner::zero_window_stall)) << "it is open again";
  EXPECT_EQ(c.responder().zero_window_longest, milliseconds{1003});
}

TEST(remarks, keepalive_finds_a_dead_peer) {
  conversation c = talking();
  c.wait(seconds(60))
      .probe(opener)
      .wait(seconds(1))
      .probe(opener)
      .wait(seconds(1))
      .probe(opener)
      .abort(opener);
  EXPECT_EQ(c.told().how, ending::peer_vanished);
  EXPECT_TRUE(c.told().has(manner::keepalive_failure));
  conversation data = talking();
  data.data(opener, 5).wait(seconds(1)).again(opener).wait(seconds(2)).again(opener);
  EXPECT_EQ(data.told().how, ending::peer_vanished);
  EXPECT_FALSE(data.told().has(manner::keepalive_failure));
}

TEST(remarks, data_that_came_after_the_fin_is_reset) {
  const story s = talking().fin(responder).ack(opener).data(opener, 7).no_such_socket(responder).told();
  EXPECT_TRUE(s.has(manner::unread_data));
  EXPECT_THAT(why(s, manner::unread_data), HasSubstr("in packet 9 came after the FIN of packet 7"));
}

TEST(remarks, data_that_was_unread_when_the_socket_was_closed) {
  const story s = talking().data(opener, 7).ack(responder).abort(responder).told();
  EXPECT_EQ(s.how, ending::peer_reset);
  EXPECT_THAT(why(s, manner::unread_data), HasSubstr("may have been unread"));
  EXPECT_FALSE(talking().abort(responder).told().has(manner::unread_data)) << "all was answered";
}

TEST(remarks, fins_that_cross) {
  conversation c = talking();
  c.deafen(responder).fin(opener).fin(responder).ack(opener);
  EXPECT_TRUE(c.told().has(manner::simultaneous_close)) << c.told().why;
}

TEST(remarks, a_four_tuple_in_time_wait_is_used_again) {
  conversation c = talking();
  c.fin(opener).fin(responder).ack(opener);
  const mark soon{20, c.now() + seconds(10)}, late{20, c.now() + seconds(70)};
  EXPECT_TRUE(c.told({.reused_at = soon}).has(manner::time_wait_reuse));
  EXPECT_FALSE(c.told({.reused_at = late}).has(manner::time_wait_reuse));
}

TEST(doubts, a_capture_that_begins_in_the_middle) {
  conversation c;
  const story s = c.data(opener, 10).data(responder, 10).told();
  EXPECT_THAT(why(s, doubt::began_before), HasSubstr("a guess"));
  EXPECT_TRUE(s.has(doubt::still_open));
  conversation half;
  EXPECT_THAT(why(half.syn_ack().ack(opener).told(), doubt::began_before),
              HasSubstr("only its answer in packet 1"));
}

TEST(doubts, one_direction) {
  conversation c;
  c.syn();
  c.segment_of(opener, {.sequence = 1001, .acknowledgement = 900'001}).data(opener, 10);
  EXPECT_THAT(why(c.told(), doubt::one_direction), HasSubstr("no packet of the responder"));
}

TEST(doubts, packets_that_the_capture_missed) {
  conversation c = talking();
  // 100 bytes of the responder that were never captured, and acknowledged.
  c.segment_of(opener, {.sequence = c.next(opener), .acknowledgement = c.next(responder) + 100});
  EXPECT_THAT(why(c.told(), doubt::missed_packets), HasSubstr("100 bytes of the responder"));
}

TEST(doubts, a_hole_that_was_acknowledged_was_missed_and_one_that_was_filled_was_not) {
  const auto with = [](bool filled) {
    conversation c = talking();
    const std::uint32_t next = c.next(responder), heard = c.heard(responder);
    c.segment_of(responder, {.sequence = next + 50, .acknowledgement = heard, .payload = 50});
    if (filled) c.segment_of(responder, {.sequence = next, .acknowledgement = heard, .payload = 50});
    c.segment_of(opener, {.sequence = c.next(opener), .acknowledgement = next + 100});
    return c.responder().missed;
  };
  EXPECT_EQ(with(true), 0U);
  EXPECT_EQ(with(false), 50U);
}

TEST(doubts, packets_captured_twice) {
  EXPECT_TRUE(talking().captured_again(opener).told().has(doubt::captured_twice));
}

TEST(doubts, a_watch_that_was_given_up_says_why) {
  EXPECT_THAT(why(talking().told({.until = watched::until_full}), doubt::watch_given_up),
              HasSubstr("too many"));
  EXPECT_THAT(why(talking().told({.until = watched::until_idle}), doubt::watch_given_up),
              HasSubstr("silence"));
}

TEST(knowledge, a_fin_tells_only_whoever_acknowledged_it) {
  conversation c = talking();
  c.fin(responder);
  EXPECT_FALSE(c.told().could_know[0]);
  c.ack(opener);
  ASSERT_TRUE(c.told().could_know[0]);
  EXPECT_EQ(c.told().could_know[0]->number, 7U);
  EXPECT_FALSE(c.told().could_know[1]);
}

TEST(knowledge, a_dead_host_is_not_told_by_the_survivors_rst) {
  conversation c = talking();
  c.data(opener, 5).wait(seconds(1)).again(opener).wait(seconds(1)).again(opener).abort(opener);
  ASSERT_EQ(c.told().how, ending::peer_vanished);
  EXPECT_EQ(c.told().could_know[0]->number, 10U);
  EXPECT_FALSE(c.told().could_know[1]);
}

template <class Word>
void expect_an_explanation_of_each() {
  for (int i = 0;; ++i) {
    const auto word = static_cast<Word>(i);
    if (to_string(word) == "?") break;
    EXPECT_EQ(explain(word).name, to_string(word));
    EXPECT_TRUE(explain(word).means.ends_with('.')) << to_string(word);
  }
}

TEST(words, every_one_of_a_story_has_an_explanation) {
  expect_an_explanation_of_each<culprit>();
  expect_an_explanation_of_each<manner>();
  expect_an_explanation_of_each<doubt>();
}

}  // namespace
}  // namespace halfopen::trace
