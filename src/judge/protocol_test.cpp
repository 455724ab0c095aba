#include "judge/protocol.hpp"

#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

std::string record(int type, std::size_t payload) {
  std::string made{static_cast<char>(type), 3, 3, static_cast<char>(payload >> 8U),
                   static_cast<char>(payload & 0xffU)};
  return made + std::string(payload, 'x');
}

/// A server's hello whose own field says TLS 1.2, and an extension that says more.
std::string server_hello(bool says_1_3) {
  std::string body = std::string("\x03\x03", 2) + std::string(32, 'r') + std::string(1, '\0') +
                     std::string("\x13\x01\x00", 3);
  if (says_1_3)
    body += std::string("\x00\x06\x00\x2b\x00\x02\x03\x04", 8);
  else
    body += std::string("\x00\x00", 2);
  const std::string message = std::string("\x02\x00\x00", 3) + static_cast<char>(body.size()) + body;
  return std::string("\x16\x03\x03\x00", 4) + static_cast<char>(message.size()) + message;
}

recorded_connection speaking_tls(bool version_1_3, const std::string& reply) {
  recorded_connection c;
  c.turns = {{speaker::client, std::string("\x16\x03\x01\x00\x05\x01", 6) + std::string(4, 'x'), {}, {}},
             {speaker::server, server_hello(version_1_3), {}, {}},
             {speaker::client, record(23, 40), {}, {}},
             {speaker::server, reply, {}, {}}};
  return c;
}

TEST(protocol, is_told_by_the_first_bytes) {
  EXPECT_EQ(spoken_in_words(speaking_tls(true, "")), "TLS 1.3");
  EXPECT_EQ(spoken_in_words(speaking_tls(false, "")), "TLS 1.2");
  recorded_connection c;
  EXPECT_EQ(spoken_in_words(c), "");
  c.turns = {{speaker::server, "SSH-2.0-OpenSSH_9.2\r\n", {}, {}}};
  EXPECT_EQ(spoken_in_words(c), "SSH");
  c.turns = {{speaker::client, "GET / HTTP/1.1\r\nHost: server\r\n\r\n", {}, {}}};
  EXPECT_EQ(spoken_in_words(c), "HTTP/1");
  EXPECT_NE(limit_of_its_own(spoken(c)).find("--max-time"), std::string_view::npos);
  EXPECT_EQ(limit_of_its_own(trace::protocol::unknown), "");
}

TEST(protocol, a_hello_that_is_cut_off_has_no_version) {
  const std::string whole = server_hello(true);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    recorded_connection c = speaking_tls(true, "");
    c.turns[1].bytes = whole.substr(0, size);
    EXPECT_TRUE(spoken_in_words(c).starts_with("TLS"));
  }
}

TEST(protocol, records_end_where_they_say) {
  const auto all = tls_records(record(23, 300) + record(21, 2) + record(23, 19) + record(23, 5).substr(0, 7));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].end, 305U);
  EXPECT_FALSE(is_an_alert(all[0]));
  EXPECT_TRUE(is_an_alert(all[1]));
  EXPECT_TRUE(is_an_alert(all[2]));  // encrypted
  EXPECT_TRUE(tls_records("HTTP/1.1 200 OK").empty());
}

TEST(protocol, a_reply_is_broken_off_between_its_records_or_in_the_last) {
  const auto places =
      places_in_tls_reply(speaking_tls(true, record(23, 95) + record(23, 195) + record(23, 19)), 2).value();
  EXPECT_EQ(places.between_records, 100U);
  EXPECT_EQ(places.in_its_last_record, 200U);
  EXPECT_TRUE(places.ends_with_an_alert);
  const auto one = places_in_tls_reply(speaking_tls(true, record(23, 95)), 2).value();
  EXPECT_EQ(one.between_records, std::nullopt);
  EXPECT_EQ(one.in_its_last_record, 50U);
  EXPECT_FALSE(one.ends_with_an_alert);
  EXPECT_FALSE(places_in_tls_reply(speaking_tls(true, record(23, 19)), 2));
  EXPECT_FALSE(places_in_tls_reply(speaking_tls(true, "no record"), 2));
  EXPECT_FALSE(places_in_tls_reply(speaking_tls(true, ""), 9));
}

TEST(protocol, a_request_of_tls_is_cut_before_its_last_record_or_nowhere) {
  recorded_connection c = speaking_tls(true, record(23, 95));
  EXPECT_EQ(place_in_request(c, 2), std::nullopt);  // the client's first: the handshake's end
  c.turns.push_back({speaker::client, record(23, 35), {}, {}});
  EXPECT_TRUE(no_half_close(c, 4).starts_with("TLS"));
  EXPECT_EQ(place_in_request(c, 4), std::nullopt);
  c.turns[4].bytes += record(23, 95);
  EXPECT_EQ(place_in_request(c, 4), 40U);
  c.turns[2].bytes = record(22, 40);  // nothing but the handshake came before
  EXPECT_EQ(place_in_request(c, 4), std::nullopt);
  c.turns[2].bytes = record(23, 40);
  c.turns[4].bytes = record(20, 1) + record(23, 95);
  EXPECT_EQ(place_in_request(c, 4), std::nullopt);
  c.turns[4].bytes = record(23, 35) + "what is no record";
  EXPECT_EQ(no_half_close(c, 4), "");
  EXPECT_EQ(place_in_request(c, 4), 28U);
}

TEST(protocol, a_request_of_ssh_has_no_part_and_its_client_no_half_close) {
  recorded_connection c;
  c.turns = {{speaker::server, "SSH-2.0-OpenSSH_9.2\r\n", {}, {}},
             {speaker::client, "SSH-2.0-OpenSSH_9.2\r\n", {}, {}},
             {speaker::server, "a packet", {}, {}},
             {speaker::client, "a packet", {}, {}}};
  EXPECT_EQ(place_in_request(c, 3), std::nullopt);
  EXPECT_TRUE(no_half_close(c, 3).starts_with("SSH"));
  c.turns[0].bytes = "220 mail ESMTP\r\n";
  c.turns[1].bytes = "HELO client\r\n";
  EXPECT_EQ(place_in_request(c, 3), 4U);
  EXPECT_EQ(no_half_close(c, 3), "");
}

TEST(protocol, a_goodbye_of_tls_answers_no_request) {
  recorded_connection c = speaking_tls(true, record(23, 95));
  EXPECT_EQ(c.request(), 2U);
  c.turns.push_back({speaker::client, record(23, 30) + record(23, 19), {}, {}});
  c.turns.push_back({speaker::server, record(23, 19), {}, {}});  // close_notify
  EXPECT_EQ(c.request(), 2U);
  EXPECT_EQ(c.requests().size(), 2U);
  c.turns.push_back({speaker::client, record(23, 19), {}, {}});  // the client's own may be later
  EXPECT_EQ(c.request(), 2U);
  EXPECT_EQ(c.requests().size(), 2U);
  c.turns.push_back({speaker::server, record(23, 19), {}, {}});  // but two bytes are as long as an alert
  EXPECT_EQ(c.requests(), (std::vector<std::size_t>{0, 2, 4}));
  c.turns.resize(6);
  c.turns.back().bytes += record(23, 95);
  EXPECT_EQ(c.request(), 4U);
  EXPECT_EQ(c.requests().size(), 3U);
}

TEST(protocol, tls_is_known_after_another_protocol_asked_for_it) {
  recorded_connection c = speaking_tls(true, record(23, 95));
  c.turns.insert(c.turns.begin(), {{speaker::client, std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8), {}, {}},
                                   {speaker::server, "S", {}, {}}});
  EXPECT_EQ(no_half_close(c, 0), "");
  EXPECT_NE(no_half_close(c, 4), "");
  EXPECT_EQ(places_in_tls_reply(c, 4).value().in_its_last_record, 50U);
  EXPECT_FALSE(places_in_tls_reply(c, 0));
}

}  // namespace
}  // namespace halfopen::judge
