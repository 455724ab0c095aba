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

segment live_reset(conversation& c, std::uint32_t beyond = 0) {
  return {.sequence = c.next(responder) + beyond, .acknowledgement = c.heard(responder), .flags = rst | ack};
}

TEST(remarks, an_rst_with_another_ttl_alone_accuses_nobody) {
  conversation c = talking();
  c.data(responder, 5).data(responder, 5).ack(opener);
  const story s = c.forged(responder, live_reset(c), 250).told();
  EXPECT_EQ(s.how, ending::peer_reset);
  EXPECT_EQ(s.by, culprit::responder);
  EXPECT_EQ(s.sure_by, confidence::possible);
  EXPECT_FALSE(s.has(manner::middlebox_reset));
  EXPECT_THAT(why(s, doubt::forged_packets), HasSubstr("its TTL is 250, and that of the other 4 packets 63"));
  conversation same = talking();
  EXPECT_EQ(same.forged(responder, live_reset(same), 63).told().sure_by, confidence::certain);
}

TEST(remarks, an_rst_that_goes_on_with_its_hosts_row_is_the_hosts_own) {
  conversation c = talking();
  c.data(responder, 5).data(responder, 5).ack(opener);
  // Its host counts over all its connections, as Windows does.
  const endpoint elsewhere{client.address, 4711};
  for (unsigned id = 1000; id < 1003; ++id)
    c.give(tcp_packet(server, elsewhere, {.sequence = id, .flags = ack, .payload = 1}, {.id = id}));
  const segment reset = live_reset(c);
  const story s = c.give(tcp_packet(server, client, reset, {.id = 1003, .ttl = 250})).told();
  EXPECT_EQ(s.by, culprit::responder);
  EXPECT_EQ(s.sure_by, confidence::certain);
  EXPECT_FALSE(s.has(doubt::forged_packets));
}

TEST(remarks, an_rst_with_another_ttl_after_which_its_host_goes_on_is_a_middleboxs) {
  conversation c = talking();
  c.data(responder, 5).ack(opener).forged(responder, live_reset(c), 250).data(responder, 30);
  const story s = c.told();
  EXPECT_EQ(s.how, ending::peer_reset);
  EXPECT_EQ(s.by, culprit::middlebox);
  EXPECT_EQ(s.sure_by, confidence::certain);
  EXPECT_THAT(s.why, HasSubstr("its TTL is 250, and that of the other 4 packets 63"));
  EXPECT_THAT(s.why, HasSubstr("goes on with its next bytes in packet 10"));
  EXPECT_THAT(s.proof, ::testing::IsSupersetOf({9U, 10U}));
  EXPECT_TRUE(s.has(doubt::forged_packets));
}

TEST(remarks, an_rst_with_a_number_that_its_host_had_not_reached_is_a_doubt) {
  conversation c = talking();
  c.data(responder, 5).data(responder, 5).ack(opener);
  const story s = c.segment_of(responder, live_reset(c, 5000)).told();
  EXPECT_EQ(s.by, culprit::responder);
  EXPECT_EQ(s.sure_by, confidence::certain) << "its identification is the next in its row";
  conversation far = talking();
  const story t = far.give(tcp_packet(server, client, live_reset(far, 5000), {.id = 40'000})).told();
  EXPECT_EQ(t.sure_by, confidence::possible);
  EXPECT_THAT(why(t, doubt::forged_packets), HasSubstr("sequence number"));
}

TEST(remarks, a_host_that_goes_on_after_its_rst_did_not_send_it) {
  conversation c = talking();
  c.give(tcp_packet(server, client, live_reset(c), {.id = 40'000}));
  EXPECT_EQ(c.told().by, culprit::responder);
  c.data(responder, 30);
  EXPECT_EQ(c.told().by, culprit::middlebox);
  EXPECT_EQ(c.told().sure_by, confidence::likely);
}

TEST(remarks, an_rst_that_nobody_heeds_ends_nothing) {
  conversation c = talking();
  c.give(tcp_packet(server, client, live_reset(c), {.id = 40'000}));
  c.data(responder, 30).ack(opener);
  EXPECT_FALSE(c.told().ended);
  EXPECT_THAT(why(c.told(), doubt::forged_packets), HasSubstr("was not heeded"));
  c.fin(opener).fin(responder).ack(opener);
  EXPECT_EQ(c.told().how, ending::completed);
}

TEST(remarks, bytes_that_were_sent_before_the_rst_and_come_later_are_no_going_on) {
  conversation c = talking();
  const std::uint32_t next = c.next(responder);
  const segment late{.sequence = next, .acknowledgement = c.heard(responder), .payload = 100};
  c.give(tcp_packet(server, client, live_reset(c, 100), {.id = 40'000})).segment_of(responder, late);
  EXPECT_NE(c.told().by, culprit::middlebox);
}

TEST(remarks, the_kernel_of_a_scanner_sends_an_rst_of_its_own) {
  conversation c;
  c.syn().syn_ack();
  const segment kernels{.sequence = 1001, .flags = rst, .window = 0};
  const story scan = c.forged(opener, kernels, 64).told();
  EXPECT_EQ(scan.how, ending::aborted_before_accept);
  EXPECT_EQ(scan.by, culprit::opener);
  EXPECT_TRUE(scan.has(manner::connect_cancelled));
  // A TCP in a program goes on, and the kernel knows of nothing.
  c.ack(opener).data(opener, 10).data(opener, 10).data(opener, 10).data(responder, 10);
  EXPECT_NE(c.told().by, culprit::middlebox);
}

TEST(remarks, a_host_whose_packets_come_from_two_distances_is_not_accused_for_a_third) {
  conversation c;
  c.handshake().data(opener, 10);
  for (int i = 0; i < 5; ++i)
    c.forged(responder, {.sequence = 900'001, .acknowledgement = 1011, .payload = 0}, i % 2 == 0 ? 53 : 245);
  const story s = c.forged(responder, live_reset(c), 30).told();
  EXPECT_NE(s.by, culprit::middlebox);
  EXPECT_FALSE(s.has(manner::middlebox_reset));
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
  data.data(opener, 5);
  for (int i = 0; i < 5; ++i) data.wait(seconds(1 << i)).again(opener);
  EXPECT_EQ(data.told().how, ending::peer_vanished);
  EXPECT_FALSE(data.told().has(manner::keepalive_failure));
}

TEST(remarks, data_that_came_after_the_fin_is_reset) {
  const story s = talking().fin(responder).ack(opener).data(opener, 7).no_such_socket(responder).told();
  EXPECT_TRUE(s.has(manner::unread_data));
  EXPECT_THAT(why(s, manner::unread_data), HasSubstr("in packet 9 came after the FIN of packet 7"));
}

TEST(remarks, data_that_was_acknowledged_is_not_said_to_be_unread) {
  EXPECT_FALSE(talking().data(opener, 7).ack(responder).abort(responder).told().has(manner::unread_data));
  EXPECT_FALSE(talking().data(opener, 7).abort(responder).told().has(manner::unread_data))
      << "the RST acknowledges it";
  EXPECT_FALSE(talking().abort(responder).told().has(manner::unread_data)) << "all was answered";
  // Half-closed, and read on: the data after the FIN was taken.
  EXPECT_FALSE(talking()
                   .fin(responder)
                   .ack(opener)
                   .data(opener, 7)
                   .ack(responder)
                   .wait(seconds(9))
                   .abort(responder)
                   .told()
                   .has(manner::unread_data));
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
  EXPECT_FALSE(c.told({.reused_at = mark{20, c.now() - seconds(1)}}).has(manner::time_wait_reuse))
      << "a file that was written twice";
  conversation reset = talking();
  reset.fin(opener).fin(responder).ack(opener).abort(opener);
  EXPECT_FALSE(reset.told({.reused_at = soon}).has(manner::time_wait_reuse)) << "an RST ends TIME_WAIT";
  conversation half = talking();
  half.fin(opener).fin(responder);
  EXPECT_FALSE(half.told({.reused_at = soon}).has(manner::time_wait_reuse))
      << "nobody has acknowledged the second";
}

TEST(remarks, a_fin_that_nobody_acknowledges) {
  conversation c = talking();
  c.fin(responder).ack(opener).deafen(responder).fin(opener);
  for (int i = 0; i < 7; ++i) c.wait(seconds(1 << i)).again(opener);
  const story s = c.told();
  EXPECT_EQ(s.how, ending::completed);
  EXPECT_EQ(s.sure, confidence::likely);
  EXPECT_TRUE(s.could_be(ending::peer_vanished));
  EXPECT_THAT(why(s, manner::fin_unanswered), HasSubstr("in packet 9 was sent 8 times"));
}

TEST(remarks, an_abortive_close_after_all_was_said) {
  const story s = talking().fin(opener).ack(responder).abort(responder).told();
  EXPECT_EQ(s.how, ending::completed);
  EXPECT_EQ(s.by, culprit::opener);
  EXPECT_TRUE(s.has(manner::abortive_close));
  EXPECT_TRUE(s.could_be(ending::peer_reset));
  // Bytes that the RST may have destroyed are another matter.
  const story lost = talking().fin(opener).data(responder, 9).abort(responder).told();
  EXPECT_EQ(lost.how, ending::peer_reset);
  EXPECT_TRUE(lost.could_be(ending::completed));
  EXPECT_THAT(lost.why, HasSubstr("9 of its bytes had not been acknowledged"));
}

TEST(remarks, an_rst_without_ack_that_answers_nothing_is_no_reborn_hosts) {
  conversation c = talking();
  c.data(responder, 5).ack(opener).wait(seconds(9));
  const story s = c.segment_of(responder, {.sequence = c.next(responder), .flags = rst, .window = 0}).told();
  EXPECT_EQ(s.how, ending::peer_reset);
  EXPECT_FALSE(s.could_be(ending::peer_rebooted)) << s.why;
  EXPECT_THAT(s.why, HasSubstr("answers no segment"));
}

TEST(remarks, whoever_knows_the_numbers_has_the_socket) {
  conversation c = talking();
  c.data(opener, 5);
  const story s =
      c.segment_of(
           responder,
           {.sequence = c.next(responder), .acknowledgement = c.heard(responder), .flags = rst, .window = 0})
          .told();
  EXPECT_EQ(s.how, ending::peer_reset);
  EXPECT_FALSE(s.could_be(ending::peer_rebooted));
}

TEST(doubts, a_file_that_was_written_twice) {
  conversation c = talking();
  c.fin(opener).fin(responder).ack(opener);
  const std::vector<frame> once = c.frames();
  const auto end = c.now();
  tracker t;
  const connection* last = nullptr;
  std::uint64_t number = 0;
  for (int copy = 0; copy < 2; ++copy) {
    time_point when{};
    for (const frame& f : once)
      last = t.add(decode(f, link::ethernet, ++number, when += milliseconds{700}).value());
  }
  EXPECT_EQ(t.connections().size(), 1U);
  EXPECT_EQ(last->of(opener).duplicates + last->of(responder).duplicates, once.size());
  EXPECT_EQ(tell(*last).how, ending::completed);
  EXPECT_LE(last->first.when, last->last.when);
  EXPECT_LE(c.told().what.last.when, end);
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
