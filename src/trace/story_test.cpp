#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/conversation.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr side opener = side::opener;
constexpr side responder = side::responder;

MATCHER_P2(is, how, by, "") {
  *result_listener << to_string(arg.how) << " by " << to_string(arg.by) << ", ended " << arg.ended << ": "
                   << arg.why;
  return arg.ended && arg.how == how && arg.by == by;
}
MATCHER(is_open, "") {
  *result_listener << to_string(arg.how) << ": " << arg.why;
  return !arg.ended && arg.by == culprit::unknown;
}

milliseconds seconds(int n) {
  return std::chrono::seconds{n};
}

// ---- it never opened ---------------------------------------------------------------

TEST(story, rst_in_answer_to_the_syn_is_refused) {
  conversation c;
  const story s = c.syn().no_such_socket(responder).told();
  EXPECT_THAT(s, is(ending::refused, culprit::responder));
  EXPECT_THAT(s.proof, ElementsAre(1, 2));
  EXPECT_THAT(s.also_possible, IsEmpty());
}

TEST(story, an_rst_that_answers_an_unseen_syn_is_refused) {
  conversation c;
  const segment refusal{.acknowledgement = 1001, .flags = rst | ack, .window = 0};
  const story s = c.segment_of(responder, refusal).told();
  EXPECT_THAT(s, is(ending::refused, culprit::responder));
}

TEST(story, a_repeated_syn_without_an_answer_is_a_vanished_peer) {
  conversation c;
  const story s = c.syn()
                      .wait(seconds(1))
                      .again(opener)
                      .wait(seconds(2))
                      .again(opener)
                      .told({.capture_end = c.now() + seconds(10)});
  EXPECT_THAT(s, is(ending::peer_vanished, culprit::nobody));
  EXPECT_EQ(s.sure, confidence::likely);
  EXPECT_THAT(s.proof, ElementsAre(1, 3));
}

TEST(story, a_syn_repeated_once_is_a_vanished_peer_only_if_the_next_repeat_stays_away) {
  conversation c;
  c.syn().wait(seconds(1)).again(opener);
  EXPECT_THAT(c.told(), is_open());
  const story s = c.told({.capture_end = c.now() + seconds(3)});
  EXPECT_THAT(s, is(ending::peer_vanished, culprit::nobody));
  EXPECT_EQ(s.sure, confidence::possible);
  EXPECT_TRUE(s.could_be(ending::deadline_passed));
}

TEST(story, a_lone_syn_has_not_ended) {
  conversation c;
  EXPECT_THAT(c.syn().told(), is_open());
}

TEST(story, icmp_about_the_syn_is_unreachable) {
  conversation host, net, admin;
  EXPECT_THAT(host.syn().icmp(opener, 1).told(), is(ending::host_unreachable, culprit::router));
  EXPECT_THAT(host.told().proof, ElementsAre(1, 2));
  EXPECT_THAT(net.syn().icmp(opener, 0).told(), is(ending::net_unreachable, culprit::router));
  EXPECT_THAT(admin.syn().icmp(opener, 13).told(), is(ending::host_unreachable, culprit::router));
}

TEST(story, port_unreachable_about_the_syn_is_refused_by_whoever_said_so) {
  conversation by_host, by_router;
  EXPECT_THAT(by_host.syn().icmp(opener, 3, server.address).told(), is(ending::refused, culprit::responder));
  EXPECT_THAT(by_router.syn().icmp(opener, 3).told(), is(ending::refused, culprit::router));
}

TEST(story, icmp_that_came_before_the_syn_ack_is_forgotten) {
  conversation c;
  EXPECT_THAT(c.syn().icmp(opener, 1).again(opener).syn_ack().ack(opener).told(), is_open());
}

TEST(story, a_syn_taken_back) {
  conversation c;
  const story s = c.syn().abort(opener).told();
  EXPECT_THAT(s, is(ending::aborted_before_accept, culprit::opener));
  EXPECT_TRUE(s.could_be(ending::deadline_passed));
}

// ---- both sides sent FIN -------------------------------------------------------------

TEST(story, fins_from_both_are_completed) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 20).fin(opener).fin(responder).ack(opener);
  const story s = c.told();
  EXPECT_THAT(s, is(ending::completed, culprit::opener));
  EXPECT_THAT(s.proof, ElementsAre(6, 7));
  EXPECT_THAT(s.also_possible, IsEmpty());
}

TEST(story, a_connection_on_which_nobody_spoke_is_completed) {
  conversation c;
  EXPECT_THAT(c.handshake().fin(responder).fin(opener).told(), is(ending::completed, culprit::responder));
}

TEST(story, fewer_bytes_than_were_owed_are_peer_closed) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 20).fin(responder).fin(opener).ack(responder);
  EXPECT_THAT(c.told({.owed_by_responder = 21}), is(ending::peer_closed, culprit::responder));
  EXPECT_THAT(c.told({.owed_by_responder = 20}), is(ending::completed, culprit::responder));
  EXPECT_THAT(c.told(), is(ending::completed, culprit::responder));
}

TEST(story, a_request_that_got_no_byte_of_an_answer_may_be_peer_closed) {
  conversation c;
  c.handshake().data(opener, 10).fin(responder).fin(opener).ack(responder);
  const story s = c.told();
  EXPECT_THAT(s, is(ending::completed, culprit::responder));
  EXPECT_EQ(s.sure, confidence::likely);
  EXPECT_TRUE(s.could_be(ending::peer_closed)) << "logs are taken without an answer";
  EXPECT_THAT(s.why, HasSubstr("without a byte in answer to the 10 bytes from packet 4 on"));
  EXPECT_THAT(s.proof, ElementsAre(4, 5, 6));
  EXPECT_THAT(c.told({.owed_by_responder = 1}), is(ending::peer_closed, culprit::responder));
  EXPECT_FALSE(c.told({.owed_by_responder = 0}).could_be(ending::peer_closed));
}

TEST(story, an_opener_that_closes_first_gave_up_the_answer_itself) {
  conversation c;
  c.handshake().data(opener, 10).fin(opener).fin(responder).ack(opener);
  EXPECT_THAT(c.told(), is(ending::completed, culprit::opener));
}

TEST(story, an_rst_after_both_fins_changes_nothing) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 5).fin(opener).fin(responder).no_such_socket(opener);
  const story s = c.told();
  EXPECT_THAT(s, is(ending::completed, culprit::opener));
  EXPECT_THAT(s.why, HasSubstr("packet 8 does not change"));
}

TEST(story, an_rst_that_crosses_the_second_fin_leaves_it_completed) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 5).fin(opener).no_such_socket(opener).fin(responder);
  EXPECT_THAT(c.told(), is(ending::completed, culprit::opener));
  EXPECT_TRUE(c.told().could_be(ending::peer_closed));
}

// ---- one FIN -------------------------------------------------------------------------

TEST(story, a_write_after_the_fin_is_answered_by_rst) {
  conversation c;
  c.handshake().data(opener, 10).ack(responder).fin(responder).ack(opener);
  const story s = c.wait(seconds(3)).data(opener, 10).no_such_socket(responder).told();
  EXPECT_THAT(s, is(ending::peer_closed, culprit::responder));
  EXPECT_TRUE(s.could_be(ending::broken_pipe));
  EXPECT_FALSE(s.could_be(ending::peer_reset));
  EXPECT_THAT(s.proof, ElementsAre(4, 6, 7, 8, 9));
  EXPECT_EQ(s.half_open_for, milliseconds{3003});
}

TEST(story, an_rst_that_overtakes_the_fin_is_a_reset) {
  conversation c;
  c.handshake().data(opener, 10).ack(responder).deafen(opener).fin(responder).data(opener, 10);
  EXPECT_THAT(c.no_such_socket(responder).told(), is(ending::peer_reset, culprit::responder));
}

TEST(story, a_fin_acknowledged_only_after_the_rst_was_overtaken_too) {
  conversation c;
  c.handshake().data(opener, 10).ack(responder).fin(responder).no_such_socket(responder).ack(opener);
  EXPECT_THAT(c.told(), is(ending::completed, culprit::responder)) << "nothing was lost by it";
  EXPECT_TRUE(c.told().could_be(ending::peer_reset));
}

TEST(story, a_lone_fin_with_bytes_owed_is_peer_closed) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 5).fin(responder).ack(opener);
  EXPECT_THAT(c.told(), is_open());
  EXPECT_THAT(c.told().why, HasSubstr("half-closed"));
  EXPECT_THAT(c.told({.owed_by_responder = 6}), is(ending::peer_closed, culprit::responder));
}

TEST(story, a_lone_fin_of_the_opener_is_half_closed) {
  conversation c;
  EXPECT_THAT(c.handshake().data(opener, 10).fin(opener).ack(responder).told(), is_open());
}

TEST(story, half_closed_lasts_until_the_capture_ends) {
  conversation c;
  c.handshake().data(opener, 10).fin(responder).ack(opener);
  const story s = c.told({.capture_end = c.now() + seconds(9)});
  EXPECT_EQ(s.half_open_for, milliseconds{9001});
}

TEST(story, an_abort_after_the_other_sides_fin) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 10).fin(responder).ack(opener).abort(opener);
  EXPECT_THAT(c.told(), is(ending::completed, culprit::responder));
  EXPECT_TRUE(c.told().has(manner::abortive_close));
  EXPECT_TRUE(c.told().could_be(ending::peer_reset));
  EXPECT_THAT(c.told({.owed_by_responder = 20}), is(ending::peer_closed, culprit::responder));
}

// ---- RST -----------------------------------------------------------------------------

TEST(story, an_abort_before_a_byte_was_said) {
  conversation c;
  const story s = c.handshake().abort(opener).told();
  EXPECT_THAT(s, is(ending::aborted_before_accept, culprit::opener));
  EXPECT_THAT(s.also_possible, ElementsAre(ending::peer_reset));
  EXPECT_THAT(s.proof, ElementsAre(3, 4));
  EXPECT_THAT(s.why, HasSubstr("cannot tell whether accept had returned"));
}

TEST(story, an_abort_after_the_opener_alone_has_spoken) {
  conversation c;
  const story s = c.handshake().data(opener, 10).ack(responder).abort(opener).told();
  EXPECT_THAT(s, is(ending::peer_reset, culprit::opener));
  EXPECT_THAT(s.also_possible, ElementsAre(ending::aborted_before_accept));
}

TEST(story, an_abort_after_both_have_spoken_is_a_reset_and_nothing_else) {
  conversation c;
  const story s = c.handshake().data(opener, 10).data(responder, 4).ack(opener).abort(opener).told();
  EXPECT_THAT(s, is(ending::peer_reset, culprit::opener));
  EXPECT_THAT(s.also_possible, IsEmpty());
}

TEST(story, an_abort_by_the_responder_is_a_reset) {
  conversation c;
  const story s = c.handshake().data(opener, 10).abort(responder).told();
  EXPECT_THAT(s, is(ending::peer_reset, culprit::responder));
  EXPECT_THAT(s.also_possible, IsEmpty());
}

TEST(story, an_rst_instead_of_the_third_packet) {
  conversation c;
  const story s = c.syn().syn_ack().segment_of(opener, {.sequence = 1001, .flags = rst}).told();
  EXPECT_TRUE(s.could_be(ending::aborted_before_accept)) << s.why;
}

TEST(story, a_bare_rst_in_answer_to_data_is_a_reboot_or_its_like) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 10).ack(opener);
  const story s = c.wait(seconds(5)).data(opener, 10).no_such_socket(responder).told();
  EXPECT_THAT(s, is(ending::peer_reset, culprit::responder));
  EXPECT_EQ(s.sure_by, confidence::likely);
  EXPECT_THAT(s.also_possible, ElementsAre(ending::peer_rebooted));
  EXPECT_THAT(s.why, HasSubstr("a firewall or load balancer rejects, or the host rebooted"));
  EXPECT_THAT(s.proof, ElementsAre(5, 7, 8));
  EXPECT_EQ(s.half_open_for, milliseconds{5003});
}

TEST(story, a_bare_rst_in_answer_to_a_keepalive_probe) {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 10).ack(opener).wait(seconds(2)).probe(opener);
  c.wait(seconds(1)).probe(opener);
  EXPECT_THAT(c.no_such_socket(responder).told(), is(ending::peer_reset, culprit::responder));
  EXPECT_TRUE(c.told().could_be(ending::peer_rebooted));
}

TEST(story, a_bare_rst_that_answers_nothing_is_a_reset) {
  conversation c;
  c.handshake()
      .data(opener, 10)
      .data(responder, 10)
      .segment_of(responder, {.sequence = 900011, .flags = rst});
  EXPECT_THAT(c.told(), is(ending::peer_reset, culprit::responder));
}

// ---- silence -------------------------------------------------------------------------

conversation talking() {
  conversation c;
  c.handshake().data(opener, 10).data(responder, 10).ack(opener);
  return c;
}

/// Retransmissions after 1, 2, 4, ... seconds.
conversation& repeat(conversation& c, side who, int times) {
  for (int i = 0; i < times; ++i) c.wait(seconds(1 << i)).again(who);
  return c;
}

TEST(story, retransmissions_into_silence_are_a_vanished_peer) {
  conversation c = talking();
  c.data(opener, 10);
  const story s = repeat(c, opener, 5).told();
  EXPECT_THAT(s, is(ending::peer_vanished, culprit::nobody));
  EXPECT_EQ(s.sure, confidence::likely) << "it is still trying";
  EXPECT_THAT(s.why, HasSubstr("gave up in silence or was still trying"));
  EXPECT_THAT(s.proof, ElementsAre(5, 12));
  EXPECT_EQ(s.half_open_for, milliseconds{31007});
}

TEST(story, a_capture_that_goes_on_makes_silence_surer) {
  conversation c = talking();
  c.data(opener, 10);
  repeat(c, opener, 5);
  const story s = c.told({.capture_end = c.now() + seconds(50)});
  EXPECT_EQ(s.sure, confidence::certain);
  EXPECT_THAT(s.also_possible, IsEmpty());
  EXPECT_THAT(s.why, HasSubstr("nothing came in the 50.0 s"));
  EXPECT_EQ(s.half_open_for, milliseconds{81007});
}

TEST(story, few_retransmissions_are_a_doubt_and_no_death) {
  conversation c = talking();
  c.data(opener, 10).wait(milliseconds{200}).again(opener);
  EXPECT_THAT(c.told(), is_open());
  EXPECT_THAT(c.told({.capture_end = c.now() + seconds(20)}), is_open());
  EXPECT_TRUE(c.told().has(doubt::unanswered));
  c.wait(milliseconds{400}).again(opener).wait(milliseconds{800}).again(opener);
  EXPECT_THAT(c.told(), is_open()) << "its own timer does not demand more than to go on";
  EXPECT_THAT(c.told({.capture_end = c.now() + seconds(5)}), is(ending::peer_vanished, culprit::nobody));
}

TEST(story, silence_where_the_capture_lacks_packets_is_less_sure) {
  conversation c = talking();
  c.segment_of(opener, {.sequence = c.next(opener), .acknowledgement = c.next(responder) + 100});
  c.data(opener, 10);
  repeat(c, opener, 5);
  const story s = c.told({.capture_end = c.now() + seconds(50)});
  EXPECT_THAT(s, is(ending::peer_vanished, culprit::nobody));
  EXPECT_EQ(s.sure, confidence::likely);
  EXPECT_THAT(s.why, HasSubstr("the capture lacks packets of the responder"));
}

TEST(story, an_answered_retransmission_is_no_silence) {
  conversation c = talking();
  c.data(opener, 10).again(opener).again(opener).again(opener).ack(responder);
  EXPECT_THAT(c.told(), is_open());
}

TEST(story, both_sides_cut_off_from_each_other) {
  conversation c = talking();
  c.deafen(opener).deafen(responder).data(opener, 10).data(responder, 10);
  for (int i = 0; i < 5; ++i) c.wait(seconds(1)).again(opener).again(responder);
  EXPECT_THAT(c.told(), is(ending::peer_vanished, culprit::nobody));
}

TEST(story, a_responder_whose_opener_vanishes) {
  conversation c = talking();
  c.data(responder, 10);
  repeat(c, responder, 5);
  EXPECT_THAT(c.told(), is(ending::peer_vanished, culprit::nobody));
}

TEST(story, a_syn_ack_that_nobody_takes) {
  conversation c;
  c.syn().syn_ack();
  repeat(c, responder, 5);
  EXPECT_THAT(c.told(), is(ending::peer_vanished, culprit::nobody));
}

TEST(story, death_by_keepalive_ends_with_an_rst) {
  conversation c = talking();
  for (int i = 0; i < 3; ++i) c.wait(seconds(1)).probe(opener);
  const story s = c.wait(seconds(1)).abort(opener).told();
  EXPECT_THAT(s, is(ending::peer_vanished, culprit::nobody));
  EXPECT_THAT(s.proof, ElementsAre(5, 9, 10));
  EXPECT_EQ(s.half_open_for, milliseconds{4005});
}

TEST(story, one_unanswered_probe_is_a_doubt) {
  conversation one = talking(), two = talking();
  const story s = one.probe(opener).wait(seconds(1)).abort(opener).told();
  EXPECT_THAT(s, is(ending::peer_reset, culprit::opener));
  EXPECT_EQ(s.sure, confidence::likely);
  EXPECT_TRUE(s.could_be(ending::peer_vanished));
  EXPECT_THAT(two.probe(opener).wait(seconds(1)).probe(opener).wait(seconds(1)).abort(opener).told(),
              is(ending::peer_vanished, culprit::nobody));
  EXPECT_EQ(two.told().sure, confidence::likely);
}

TEST(story, icmp_about_data_in_flight_is_unreachable) {
  conversation c = talking();
  c.data(opener, 10).icmp(opener, 1).wait(seconds(1)).again(opener).icmp(opener, 1);
  const story s = c.told();
  EXPECT_THAT(s, is(ending::host_unreachable, culprit::router));
  EXPECT_THAT(s.also_possible, IsEmpty());
  EXPECT_THAT(s.proof, Contains(10));
}

TEST(story, icmp_net_about_data_in_flight) {
  conversation c = talking();
  c.data(opener, 10).wait(seconds(1)).again(opener).icmp(opener, 0).wait(seconds(2)).again(opener);
  EXPECT_THAT(c.told(), is(ending::net_unreachable, culprit::router));
}

TEST(story, icmp_before_the_last_word_of_the_other_side_is_forgotten) {
  conversation c = talking();
  c.data(opener, 10).icmp(opener, 1).again(opener).ack(responder).data(opener, 10);
  repeat(c, opener, 5);
  EXPECT_THAT(c.told(), is(ending::peer_vanished, culprit::nobody));
}

TEST(story, icmp_about_keepalive_probes_leaves_both_possible) {
  conversation c = talking();
  for (int i = 0; i < 3; ++i) c.wait(seconds(1)).probe(opener).icmp(opener, 1);
  const story s = c.wait(seconds(1)).abort(opener).told();
  EXPECT_THAT(s, is(ending::peer_vanished, culprit::nobody));
  EXPECT_THAT(s.also_possible, ElementsAre(ending::host_unreachable));
  EXPECT_THAT(s.why, HasSubstr("Linux ignores"));
}

TEST(story, a_repeated_write_after_the_fin_into_silence_is_still_peer_closed) {
  conversation c;
  c.handshake().data(opener, 10).ack(responder).fin(responder).ack(opener);
  c.data(opener, 5);
  repeat(c, opener, 5);
  EXPECT_THAT(c.told(), is(ending::peer_closed, culprit::responder));
}

// ---- what the capture missed -----------------------------------------------------------

TEST(story, one_direction_alone_is_not_silence) {
  conversation c;
  c.syn();
  for (int i = 0; i < 4; ++i)
    c.segment_of(opener, {.sequence = 1001, .acknowledgement = 900001, .payload = 10});
  EXPECT_THAT(c.told(), is_open());
  EXPECT_THAT(c.told().why, HasSubstr("only one direction"));
}

TEST(story, a_syn_repeated_in_one_direction_is_not_silence) {
  conversation c;
  c.syn().wait(seconds(1)).again(opener).wait(seconds(2)).again(opener);
  for (int i = 0; i < 4; ++i)
    c.segment_of(opener, {.sequence = 1001, .acknowledgement = 900001, .payload = 10});
  EXPECT_THAT(c.told(), is_open());
}

TEST(story, an_open_connection_has_not_ended) {
  conversation c = talking();
  const story s = c.told();
  EXPECT_THAT(s, is_open());
  EXPECT_FALSE(s.could_be(ending::completed));
  EXPECT_THAT(s.proof, IsEmpty());
}

// ---- words ---------------------------------------------------------------------------

TEST(describe, names_the_sides_and_the_proof) {
  conversation c;
  const story s = c.handshake()
                      .data(opener, 1)
                      .wait(seconds(200))
                      .data(opener, 10)
                      .no_such_socket(responder)
                      .told({.names = {"alice", "bob"}});
  EXPECT_THAT(
      describe(s),
      ElementsAre(
          "alice (10.0.0.1:40000) -> bob (10.0.0.2:80): SYN in packet 1, handshake done in packet 3, "
          "after 2.0 ms",
          "  alice sent 11 bytes in 4 segments, 0 acknowledged",
          "  bob sent 0 bytes in 2 segments, 0 acknowledged, RST in packet 6",
          "  took 1.0 ms from here to bob and back, 1.0 ms from here to alice",
          "  alice paused in the middle for 3 min 20 s until packet 5: it waited for an acknowledgement",
          "  ended: peer_reset, by bob (likely); the packets also fit peer_rebooted", HasSubstr("  why: RST"),
          HasSubstr("  could know: alice from packet 6 on, after 3 min 20 s, bob"),
          "  half-open for 3 min 20 s", "  proof: packets 2, 5, 6"));
}

TEST(describe, says_who_paused_and_what_for) {
  conversation c = talking();
  c.data(responder, 10).ack(opener).wait(seconds(30)).data(responder, 10).ack(opener);
  EXPECT_THAT(describe(c.told({.names = {"a", "b"}})),
              Contains(AllOf(HasSubstr("  b paused in the middle for 30.00 s until packet"),
                             HasSubstr("nobody held it up"))));
  conversation lost = talking();
  lost.data(responder, 10).wait(seconds(30)).data(responder, 10);
  EXPECT_THAT(describe(lost.told({.names = {"a", "b"}})),
              Contains(HasSubstr("it waited for an acknowledgement")));
  conversation late = talking();  // repeated for long, and acknowledged just before it goes on
  late.data(responder, 10).wait(seconds(15)).again(responder).wait(seconds(15)).again(responder);
  late.ack(opener).data(responder, 10);
  EXPECT_THAT(describe(late.told({.names = {"a", "b"}})),
              Contains(HasSubstr("it waited for an acknowledgement")));
  conversation half;  // only one direction was captured
  half.syn().segment_of(opener, {.sequence = 1001, .acknowledgement = 900'001, .payload = 10});
  half.wait(seconds(30)).segment_of(opener, {.sequence = 1011, .acknowledgement = 900'501, .payload = 10});
  EXPECT_THAT(describe(half.told({.names = {"a", "b"}})), Not(Contains(HasSubstr("paused"))));
  conversation asked = talking();
  asked.data(responder, 10).ack(opener).wait(seconds(30)).data(opener, 5).data(responder, 10);
  EXPECT_THAT(describe(asked.told({.names = {"a", "b"}})), Not(Contains(HasSubstr("b paused"))))
      << "it had answered, and was asked again";
}

TEST(describe, tells_of_repeats_and_routers) {
  conversation c = talking();
  c.data(opener, 10).wait(seconds(1)).again(opener).icmp(opener, 1);
  const auto lines = describe(c.told({.names = {"a", "b"}}));
  EXPECT_THAT(lines, Contains(HasSubstr("1 retransmission")));
  EXPECT_THAT(lines, Contains("  1 ICMP error from 10.0.0.254, first in packet 9"));
  EXPECT_THAT(lines, Contains("  ended: host_unreachable, by router"));
}

TEST(describe, says_when_nothing_has_ended) {
  EXPECT_THAT(describe(talking().told({.names = {"a", "b"}})),
              Contains("  not ended when the capture stopped"));
}

}  // namespace
}  // namespace halfopen::trace
