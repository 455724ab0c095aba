#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "trace/conversation.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;

constexpr side opener = side::opener;
constexpr side responder = side::responder;

TEST(tracker, the_syn_names_the_opener) {
  conversation c;
  c.syn();
  EXPECT_EQ(c.record().opener, client);
  EXPECT_EQ(c.record().responder, server);
  EXPECT_TRUE(c.record().opener_seen);
  EXPECT_EQ(c.opener().initial_sequence, 1000U);
  EXPECT_FALSE(c.record().handshake_done);
}

TEST(tracker, the_third_packet_completes_the_handshake) {
  conversation c;
  c.handshake();
  ASSERT_TRUE(c.record().handshake_done);
  EXPECT_EQ(c.record().handshake_done->number, 3U);
  EXPECT_EQ(c.responder().initial_sequence, 900000U);
  EXPECT_EQ(c.opener().bytes, 0U);
}

TEST(tracker, counts_bytes_and_what_was_acknowledged) {
  conversation c;
  c.handshake().data(opener, 10).data(opener, 20).ack(responder).data(opener, 5);
  EXPECT_EQ(c.opener().bytes, 35U);
  EXPECT_EQ(c.opener().acked, 30U);
  EXPECT_EQ(c.opener().data_segments, 3U);
  EXPECT_EQ(c.opener().first_data->number, 4U);
  EXPECT_EQ(c.opener().last_data->number, 7U);
  EXPECT_EQ(c.opener().retransmissions, 0U);
}

TEST(tracker, a_retransmission_is_counted_once_in_bytes) {
  conversation c;
  c.handshake().data(opener, 10).again(opener).again(opener);
  EXPECT_EQ(c.opener().bytes, 10U);
  EXPECT_EQ(c.opener().retransmissions, 2U);
  EXPECT_EQ(c.opener().first_retransmission->number, 5U);
  EXPECT_EQ(c.opener().last_retransmission->number, 6U);
}

TEST(tracker, sequence_numbers_may_wrap) {
  conversation c{0xFFFFFFF0U, 0xFFFFFFFFU};
  c.handshake().data(opener, 100).ack(responder).data(responder, 7).ack(opener).fin(opener).ack(responder);
  EXPECT_EQ(c.opener().bytes, 100U);
  EXPECT_EQ(c.opener().acked, 100U);
  EXPECT_EQ(c.responder().acked, 7U);
  EXPECT_TRUE(c.opener().fin_acked);
  EXPECT_EQ(c.opener().retransmissions, 0U);
}

TEST(tracker, offsets_go_beyond_four_gigabytes) {
  conversation c;
  c.handshake();
  const std::uint32_t start = c.next(opener);
  std::uint64_t sent = 0;
  for (; sent < 5'000'000'000; sent += 500'000'000)
    c.segment_of(opener, {.sequence = start + static_cast<std::uint32_t>(sent), .payload = 1});
  EXPECT_EQ(c.opener().bytes, 4'500'000'001U);
  EXPECT_EQ(c.opener().retransmissions, 0U);
}

TEST(tracker, a_segment_from_far_outside_the_window_changes_no_count_of_bytes) {
  conversation c;
  c.handshake().data(opener, 10);
  c.segment_of(opener, {.sequence = c.next(opener) + 0x7000'0000U, .payload = 50});
  EXPECT_EQ(c.opener().bytes, 10U);
  EXPECT_EQ(c.opener().segments, 4U);
}

TEST(tracker, a_keepalive_probe_is_not_a_retransmission) {
  conversation c;
  c.handshake().data(opener, 10).ack(responder).probe(opener).ack(responder).probe(opener, 1);
  EXPECT_EQ(c.opener().keepalive_probes, 2U);
  EXPECT_EQ(c.opener().first_probe->number, 6U);
  EXPECT_EQ(c.opener().last_probe->number, 8U);
  EXPECT_EQ(c.opener().retransmissions, 0U);
  EXPECT_EQ(c.opener().bytes, 10U);
}

TEST(tracker, a_probe_before_any_byte_was_said) {
  conversation c;
  c.handshake().probe(opener);
  EXPECT_EQ(c.opener().keepalive_probes, 1U);
}

TEST(tracker, a_single_unacknowledged_byte_repeated_is_a_retransmission) {
  conversation c;
  c.handshake().data(opener, 1).again(opener);
  EXPECT_EQ(c.opener().keepalive_probes, 0U);
  EXPECT_EQ(c.opener().retransmissions, 1U);
}

TEST(tracker, a_fin_is_acknowledged_apart_from_the_bytes_before_it) {
  conversation c;
  c.handshake().data(responder, 10).ack(opener).fin(responder);
  EXPECT_EQ(c.responder().fin->number, 6U);
  EXPECT_FALSE(c.responder().fin_acked);
  c.ack(opener);
  EXPECT_TRUE(c.responder().fin_acked);
  EXPECT_EQ(c.responder().fin_acked_at->number, 7U);
  EXPECT_EQ(c.responder().bytes, 10U);
}

TEST(tracker, a_repeated_fin_is_a_retransmission) {
  conversation c;
  c.handshake().fin(opener, 4).again(opener);
  EXPECT_EQ(c.opener().fin->number, 4U);
  EXPECT_EQ(c.opener().retransmissions, 1U);
}

TEST(tracker, a_repeated_syn_is_a_retransmission) {
  conversation c;
  c.syn().again(opener).again(opener);
  EXPECT_EQ(c.opener().retransmissions, 2U);
  EXPECT_EQ(c.opener().syn->number, 1U);
  EXPECT_EQ(c.all().size(), 1U);
}

TEST(tracker, a_syn_with_data_counts_it) {
  conversation c;
  c.segment_of(opener, {.sequence = 1000, .flags = syn, .payload = 30});
  EXPECT_EQ(c.opener().bytes, 30U);
}

TEST(tracker, bytes_sent_after_the_other_sides_fin_are_known) {
  conversation c;
  c.handshake().data(opener, 3).fin(responder).data(opener, 4).again(opener);
  EXPECT_EQ(c.opener().bytes_after_fin_of_other, 4U);
}

// ---- who is silent ---------------------------------------------------------------

TEST(tracker, an_answer_ends_the_count_of_unanswered_segments) {
  conversation c;
  c.handshake().data(opener, 10).again(opener).again(opener);
  EXPECT_EQ(c.opener().unanswered, 4U);  // the handshake's ACK is the first
  EXPECT_EQ(c.opener().repeats_unanswered, 2U);
  c.ack(responder);
  EXPECT_EQ(c.opener().unanswered, 0U);
  EXPECT_EQ(c.opener().repeats_unanswered, 0U);
}

TEST(tracker, repeats_that_cross_are_no_answers) {
  conversation c;
  c.handshake().deafen(opener).deafen(responder).data(opener, 10).data(responder, 10);
  for (int i = 0; i < 3; ++i) c.again(opener).again(responder);
  EXPECT_EQ(c.opener().repeats_unanswered, 3U);
  EXPECT_EQ(c.responder().repeats_unanswered, 3U);
}

TEST(tracker, filling_later_holes_is_no_sign_of_silence) {
  conversation c;
  c.handshake().data(opener, 10);
  const std::uint32_t second = c.next(opener);
  c.data(opener, 10).data(opener, 10);
  c.segment_of(opener, {.sequence = second, .payload = 10});
  c.segment_of(opener, {.sequence = second, .payload = 10});
  EXPECT_EQ(c.opener().retransmissions, 2U);
  EXPECT_EQ(c.opener().repeats_unanswered, 0U);
}

TEST(tracker, the_count_of_unanswered_segments_stands_still_after_an_rst) {
  conversation c;
  c.handshake().data(opener, 10).no_such_socket(responder).again(opener).data(responder, 5);
  EXPECT_EQ(c.opener().unanswered, 2U);
  EXPECT_EQ(c.opener().repeats_unanswered, 0U);
}

// ---- RST ---------------------------------------------------------------------------

TEST(tracker, the_three_kinds_of_rst) {
  conversation to_syn, live, none;
  to_syn.syn().no_such_socket(responder);
  EXPECT_EQ(to_syn.responder().rst_kind, reset_kind::to_syn);
  live.handshake().data(opener, 5).abort(responder);
  EXPECT_EQ(live.responder().rst_kind, reset_kind::live_socket);
  none.handshake().data(opener, 5).no_such_socket(responder);
  EXPECT_EQ(none.responder().rst_kind, reset_kind::no_socket);
  EXPECT_EQ(none.responder().rst->number, 5U);
  EXPECT_EQ(none.responder().heard_before_rst->number, 2U);
}

TEST(tracker, an_rst_from_far_outside_the_window_is_forged) {
  conversation c;
  c.handshake().data(opener, 5);
  c.segment_of(responder, {.sequence = c.next(responder) + 0x7000'0000U, .flags = rst});
  EXPECT_FALSE(c.responder().rst);
}

TEST(tracker, the_first_rst_counts) {
  conversation c;
  c.handshake().data(opener, 5).no_such_socket(responder).no_such_socket(responder);
  EXPECT_EQ(c.responder().rst->number, 5U);
}

// ---- ICMP --------------------------------------------------------------------------

TEST(tracker, an_icmp_error_about_what_is_in_flight) {
  conversation c;
  c.handshake().data(opener, 5).icmp(opener, 1).again(opener).icmp(opener, 0);
  EXPECT_EQ(c.record().icmp_count, 2U);
  EXPECT_EQ(c.record().first_icmp->where.number, 5U);
  EXPECT_EQ(c.record().first_icmp->what, unreachable::host);
  EXPECT_EQ(c.record().first_icmp->about, opener);
  EXPECT_EQ(c.record().first_icmp->router, a_router);
  EXPECT_TRUE(c.record().first_icmp->in_flight);
  EXPECT_EQ(c.record().last_icmp->what, unreachable::net);
  EXPECT_EQ(c.record().last_heeded_icmp->where.number, 7U);
}

TEST(tracker, an_icmp_error_about_a_keepalive_probe_is_not_in_flight) {
  conversation c;
  c.handshake().data(opener, 5).ack(responder).probe(opener).icmp(opener, 1);
  EXPECT_FALSE(c.record().last_icmp->in_flight);
  EXPECT_FALSE(c.record().last_heeded_icmp);
}

TEST(tracker, an_icmp_error_about_a_reset_is_not_heeded) {
  conversation c;
  c.handshake().data(opener, 5).abort(opener).icmp(opener, 0);
  EXPECT_EQ(c.record().icmp_count, 1U);
  EXPECT_FALSE(c.record().last_heeded_icmp);
}

TEST(tracker, an_icmp_error_about_a_stranger_belongs_to_nobody) {
  conversation c;
  c.give(icmp_packet(a_router, client.address, 1, tcp_packet(client, server, {})));
  EXPECT_EQ(c.last(), nullptr);
  EXPECT_TRUE(c.all().empty());
}

// ---- beginnings --------------------------------------------------------------------

TEST(tracker, without_a_syn_the_higher_port_is_taken_for_the_openers) {
  conversation c;
  c.data(responder, 10).ack(opener);
  EXPECT_EQ(c.record().opener, client);
  EXPECT_FALSE(c.record().opener_seen);
  EXPECT_EQ(c.responder().bytes, 10U);
  EXPECT_EQ(c.responder().acked, 10U);
}

TEST(tracker, a_syn_ack_names_the_opener_too) {
  tracker t;
  const endpoint low{client.address, 20}, high{server.address, 50000};
  const frame f = ethernet(tcp_packet(high, low, {.acknowledgement = 1, .flags = syn | ack}));
  const connection* c = t.add(decode(f, link::ethernet, 1, {}).value());
  EXPECT_EQ(c->opener, low);
  EXPECT_FALSE(c->opener_seen);
}

TEST(tracker, a_syn_captured_after_its_syn_ack_is_the_same_connection) {
  conversation c;
  c.segment_of(responder, {.sequence = 900000, .acknowledgement = 1001, .flags = syn | ack});
  c.segment_of(opener, {.sequence = 1000, .flags = syn});
  EXPECT_EQ(c.all().size(), 1U);
  EXPECT_TRUE(c.record().opener_seen);
  EXPECT_EQ(c.opener().initial_sequence, 1000U);
  EXPECT_EQ(c.opener().retransmissions, 0U);
}

TEST(tracker, a_capture_that_begins_with_a_probe) {
  conversation c;
  c.probe(opener).ack(responder).data(opener, 10).ack(responder);
  EXPECT_EQ(c.opener().keepalive_probes, 1U);
  EXPECT_EQ(c.opener().bytes, 10U);
  EXPECT_EQ(c.opener().acked, 10U);
}

TEST(tracker, a_repeat_from_before_the_capture_is_not_counted_as_a_probe_as_well) {
  conversation c;
  c.segment_of(responder, {.sequence = 900001, .acknowledgement = 2000});
  c.segment_of(opener, {.sequence = 1900, .payload = 50});
  c.segment_of(responder, {.sequence = 900001, .acknowledgement = 2001});
  EXPECT_EQ(c.opener().retransmissions, 1U);
  EXPECT_EQ(c.opener().keepalive_probes, 0U);
}

TEST(tracker, an_ack_of_unseen_bytes_proves_their_sender_alive) {
  conversation c;
  c.handshake().data(opener, 5).again(opener);
  c.segment_of(opener, {.sequence = c.next(opener), .acknowledgement = c.heard(opener) + 100});
  EXPECT_EQ(c.opener().repeats_unanswered, 0U);
  EXPECT_EQ(c.responder().bytes, 0U);
}

TEST(tracker, both_may_open_at_once) {
  conversation c;
  c.syn();
  c.segment_of(responder, {.sequence = 900000, .flags = syn});
  EXPECT_EQ(c.all().size(), 1U);
  EXPECT_EQ(c.responder().initial_sequence, 900000U);
}

TEST(tracker, a_packet_captured_twice_is_one_packet) {
  conversation c;
  c.syn().captured_again(opener).syn_ack().ack(opener).data(opener, 10).captured_again(opener);
  EXPECT_EQ(c.opener().retransmissions, 0U);
  EXPECT_EQ(c.opener().segments, 3U);
  EXPECT_EQ(c.opener().duplicates, 2U);
}

TEST(tracker, the_same_packet_after_a_while_is_a_retransmission) {
  conversation c;
  c.syn().wait(milliseconds{200}).captured_again(opener);
  EXPECT_EQ(c.opener().retransmissions, 1U);
}

TEST(tracker, without_an_identification_only_the_time_tells_a_packet_captured_twice) {
  tracker t;
  const frame syn_packet = ethernet(tcp_packet(client_v6, server_v6, {.flags = syn}));
  const auto at = [&](int ms) {
    return t.add(decode(syn_packet, link::ethernet, 1, time_point{milliseconds{ms}}).value())->of(opener);
  };
  at(0);
  EXPECT_EQ(at(1).retransmissions, 0U);
  EXPECT_EQ(at(10).retransmissions, 1U);
}

// ---- the same ports again ------------------------------------------------------------

TEST(tracker, a_syn_with_another_number_begins_a_new_connection) {
  conversation c;
  c.handshake().data(opener, 5);
  const connection* before = c.last();
  c.begin(500000, 700000);
  c.handshake();
  EXPECT_NE(c.last(), before);
  EXPECT_EQ(c.all().size(), 2U);
  EXPECT_EQ(c.all()[0], before);
  EXPECT_EQ(before->of(opener).bytes, 5U);
}

TEST(tracker, a_syn_after_the_end_begins_a_new_connection) {
  conversation c;
  c.syn().no_such_socket(responder);
  c.begin(500000, 700000);
  c.syn().no_such_socket(responder);
  EXPECT_EQ(c.all().size(), 2U);
}

TEST(tracker, a_refused_syn_with_the_same_number_is_the_same_attempt) {
  conversation c;
  c.syn().no_such_socket(responder).again(opener).no_such_socket(responder);
  EXPECT_EQ(c.all().size(), 1U);
  EXPECT_EQ(c.record().attempts_before, 1U);
  EXPECT_EQ(c.record().first_attempt_rst->number, 2U);
  c.again(opener).syn_ack().ack(opener).data(opener, 5);
  EXPECT_EQ(c.all().size(), 1U);
  EXPECT_TRUE(c.record().handshake_done);
  EXPECT_FALSE(c.responder().rst) << "a host that comes up while it is tried";
}

TEST(tracker, half_open_recovery_is_one_attempt) {
  conversation c;
  c.syn();
  c.segment_of(responder, {.sequence = 42, .acknowledgement = 3'000'000});  // of an older connection
  c.segment_of(opener, {.sequence = 3'000'000, .flags = rst, .window = 0});
  EXPECT_FALSE(c.opener().rst);
  c.again(opener).syn_ack().ack(opener).data(opener, 7).fin(opener).fin(responder).ack(opener);
  EXPECT_EQ(c.all().size(), 1U);
  EXPECT_EQ(c.record().challenge->number, 2U);
  EXPECT_EQ(c.record().challenge_answered->number, 3U);
  EXPECT_EQ(c.responder().missed, 0U);
  EXPECT_EQ(c.told().how, ending::completed);
}

TEST(tracker, the_same_ports_the_other_way_round) {
  conversation c;
  c.handshake().fin(opener).fin(responder).ack(opener);
  const frame f = tcp_packet(server, client, {.sequence = 1, .flags = syn});
  c.give(f);
  EXPECT_EQ(c.all().size(), 2U);
  EXPECT_EQ(c.record().opener, server);
}

TEST(tracker, a_reborn_openers_rst_ends_the_old_connection) {
  conversation c;
  c.handshake().data(opener, 5).ack(responder);
  const connection* old = c.last();
  const std::uint32_t old_heard = c.heard(responder), old_next = c.next(responder);
  c.begin(0x5000'0000U, 0x6000'0000U);
  c.syn();
  const connection* young = c.last();
  c.segment_of(responder, {.sequence = old_next, .acknowledgement = old_heard});
  EXPECT_EQ(c.last(), old);
  c.segment_of(opener, {.sequence = old_heard, .flags = rst, .window = 0});
  EXPECT_EQ(c.last(), old);
  EXPECT_TRUE(old->of(opener).rst);
  c.again(opener).syn_ack().ack(opener);
  EXPECT_EQ(c.last(), young);
  EXPECT_TRUE(young->handshake_done);
  EXPECT_EQ(c.all().size(), 2U);
}

// ---- many, and hostile ---------------------------------------------------------------

TEST(tracker, a_hundred_thousand_connections_are_told_apart) {
  tracker t;
  std::vector<const connection*> seen;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 100'000; ++i) {
      packet p;
      p.what = packet::kind::tcp;
      p.tcp.source = {client.address, static_cast<std::uint16_t>(i)};
      p.tcp.destination = {server.address, static_cast<std::uint16_t>(i >> 16U)};
      p.tcp.flags = ack;
      p.tcp.sequence = i;
      if (round == 1) std::swap(p.tcp.source, p.tcp.destination);
      const connection* c = t.add(p);
      if (round == 0)
        seen.push_back(c);
      else
        ASSERT_EQ(c, seen[i]);
    }
  }
  EXPECT_EQ(t.connections(), seen);
}

TEST(tracker, any_sequence_of_segments_keeps_the_counts_in_order) {
  std::mt19937 engine{42};
  const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
  for (int round = 0; round < 300; ++round) {
    tracker t;
    const std::uint32_t base = random();
    for (std::uint64_t n = 1; n <= 100; ++n) {
      packet p;
      p.number = n;
      p.what = random() % 10 == 0 ? packet::kind::icmp : packet::kind::tcp;
      p.icmp = static_cast<unreachable>(random() % 6);
      p.tcp.source = client;
      p.tcp.destination = random() % 50 == 0 ? client : server;
      if (random() % 2 == 0) std::swap(p.tcp.source, p.tcp.destination);
      p.tcp.flags = static_cast<std::uint8_t>(random());
      if (random() % 2 == 0) p.tcp.flags &= ack | psh;
      p.tcp.sequence = random() % 4 == 0 ? random() : base + random() % 64;
      p.tcp.acknowledgement = random() % 4 == 0 ? random() : base + random() % 64;
      p.tcp.length = random() % 4 == 0 ? random() : random() % 3;
      t.add(p);
    }
    for (const connection* c : t.connections()) {
      for (const flow& f : c->flows) {
        EXPECT_LE(f.acked, f.bytes);
        EXPECT_LE(f.data_segments, f.segments);
        EXPECT_LE(f.repeats_unanswered, f.unanswered);
        EXPECT_LE(f.retransmissions + f.keepalive_probes, f.segments);
        EXPECT_EQ(f.fin_acked, f.fin_acked_at.has_value());
      }
      const story s = tell(*c);
      EXPECT_FALSE(s.why.empty());
      EXPECT_TRUE(std::ranges::is_sorted(s.proof));
      EXPECT_FALSE(describe(s).empty());
    }
  }
}

TEST(optional_mark, is_what_an_optional_is) {
  optional_mark m;
  EXPECT_FALSE(m.has_value());
  EXPECT_FALSE(std::optional<mark>{m}.has_value());
  m = mark{0, time_point{}};
  ASSERT_TRUE(m.has_value()) << "a packet may have the number 0 where nobody counts";
  EXPECT_EQ(m->number, 0U);
  m = std::optional<mark>{mark{7, time_point{}}};
  EXPECT_EQ((*m).number, 7U);
  m = std::optional<mark>{};
  EXPECT_FALSE(m.has_value());
  m = mark{8, time_point{}};
  m.reset();
  EXPECT_FALSE(m.has_value());
}

}  // namespace
}  // namespace halfopen::trace
