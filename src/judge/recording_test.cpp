#include "judge/recording.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;

const trace::endpoint client{*trace::ip_address::parse("10.0.0.1"), 40000};
const trace::endpoint server{*trace::ip_address::parse("10.0.0.2"), 7};

/// Says what crosses the cable, byte for byte.
struct scribe {
  recorder made = [] {
    recorder r;
    r.of_server(server.address);
    return r;
  }();
  trace::time_point now{};
  trace::endpoint from = client;

  void segment(bool by_client, std::uint32_t sequence, std::uint8_t flags, const std::string& text = {}) {
    trace::packet p;
    p.what = trace::packet::kind::tcp;
    p.when = now += 1ms;
    p.tcp.source = by_client ? from : server;
    p.tcp.destination = by_client ? server : from;
    p.tcp.sequence = sequence;
    p.tcp.flags = flags;
    p.tcp.length = static_cast<std::uint32_t>(text.size());
    p.tcp.payload = std::as_bytes(std::span(text));
    made.take(p);
  }
  void open(std::uint32_t client_first = 100, std::uint32_t server_first = 500) {
    segment(true, client_first, trace::syn);
    segment(false, server_first, trace::syn | trace::ack);
  }
};

std::string texts(const recorded_connection& c) {
  std::string all;
  for (const turn& t : c.turns) all += (t.by == speaker::client ? "C:" : "S:") + t.bytes + " ";
  return all;
}

TEST(recorder, what_each_side_says_until_the_other_speaks_is_one_turn) {
  scribe s;
  s.open();
  s.segment(true, 101, trace::ack, "GE");
  s.segment(true, 103, trace::ack, "T");
  s.segment(false, 501, trace::ack, "whole");
  s.segment(true, 104, trace::fin | trace::ack);
  const auto r = s.made.made();
  ASSERT_TRUE(r);
  EXPECT_EQ(r->port, 7);
  EXPECT_EQ(texts(r->main()), "C:GET S:whole ");
  EXPECT_EQ(r->main().closed_first, speaker::client);
  EXPECT_EQ(r->main().request(), 0U);
}

TEST(recorder, bytes_that_are_repeated_count_once) {
  scribe s;
  s.open();
  s.segment(true, 101, trace::ack, "ab");
  s.segment(true, 101, trace::ack, "abcd");
  s.segment(true, 101, trace::ack, "ab");
  EXPECT_EQ(texts(s.made.made()->main()), "C:abcd ");
}

TEST(recorder, sequence_numbers_wrap) {
  scribe s;
  s.open(0xfffffffe);
  s.segment(true, 0xffffffff, trace::ack, "ab");
  s.segment(true, 1, trace::ack, "cd");
  EXPECT_EQ(texts(s.made.made()->main()), "C:abcd ");
}

TEST(recorder, a_gap_ends_what_is_recorded_of_that_side) {
  scribe s;
  s.open();
  s.segment(true, 101, trace::ack, "ab");
  s.segment(true, 105, trace::ack, "ef");
  s.segment(false, 501, trace::ack, "x");
  EXPECT_EQ(texts(s.made.made()->main()), "C:ab S:x ");
}

TEST(recorder, the_service_is_the_port_on_which_most_was_said) {
  scribe s;
  s.open();
  s.segment(true, 101, trace::ack, "short");
  s.from.port = 40001;
  trace::packet p;
  p.what = trace::packet::kind::tcp;
  p.tcp.source = s.from;
  p.tcp.destination = {server.address, 8};
  p.tcp.sequence = 1;
  p.tcp.flags = trace::syn;
  s.made.take(p);
  std::swap(p.tcp.source, p.tcp.destination);
  p.tcp.flags = trace::syn | trace::ack;
  s.made.take(p);
  EXPECT_EQ(s.made.made()->port, 7);
}

TEST(recorder, without_a_handshake_there_is_no_recording) {
  scribe s;
  s.segment(true, 100, trace::syn);
  EXPECT_FALSE(s.made.made());
}

TEST(recorded_connection, the_request_is_the_last_that_was_answered) {
  recorded_connection c;
  c.turns = {{speaker::client, "login", {}},
             {speaker::server, "ok", {}},
             {speaker::client, "query", {}},
             {speaker::server, "rows", {}},
             {speaker::client, "bye", {}}};
  EXPECT_EQ(c.request(), 2U);
  EXPECT_EQ(c.said_before(speaker::client, 2), 5U);
  EXPECT_EQ(c.said_before(speaker::server, 2), 2U);
  EXPECT_EQ(c.said(speaker::client), 13U);
}

TEST(recording, survives_json_with_any_bytes) {
  scribe s;
  s.open();
  s.segment(true, 101, trace::ack, std::string("\x00\xff\n", 3));
  s.segment(false, 501, trace::ack, "ok");
  const auto r = *s.made.made();
  const auto back = nlohmann::json::parse(nlohmann::json(r).dump()).get<recording>();
  EXPECT_EQ(texts(back.main()), texts(r.main()));
  EXPECT_EQ(back.port, 7);
}

TEST(hexadecimal, what_is_none_is_refused) {
  EXPECT_EQ(from_hex("00ff"), std::string("\x00\xff", 2));
  EXPECT_THROW(from_hex("0"), std::invalid_argument);
  EXPECT_THROW(from_hex("zz"), std::invalid_argument);
}

}  // namespace
}  // namespace halfopen::judge
