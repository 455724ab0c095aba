#include "trace/spoken.hpp"

#include <gtest/gtest.h>

#include <map>

#include "trace/packet_builder.hpp"

namespace halfopen::trace {
namespace {

using namespace std::string_view_literals;
using testing::frame;
using testing::put16;
using testing::put32;
using testing::put8;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

void put_text(frame& f, std::string_view text) {
  testing::put(f, bytes_of(text));
}

/// Behind its length in `width` bytes.
frame block(std::size_t width, const frame& inside) {
  frame f;
  for (std::size_t i = width; i-- > 0;) put8(f, static_cast<unsigned>(inside.size() >> (8 * i) & 0xFFU));
  testing::put(f, inside);
  return f;
}

/// A record with one handshake message (RFC 8446 sections 4 and 5.1).
frame handshake_record(unsigned message, const frame& content) {
  frame handshake;
  put8(handshake, message);
  testing::put(handshake, block(3, content));
  frame record;
  put8(record, 0x16);
  put16(record, 0x0301);
  testing::put(record, block(2, handshake));
  return record;
}

/// A hello of TLS 1.2, by its own field, with these extensions; 1: a client's, 2: a server's.
frame hello_with(unsigned message, const frame& extensions) {
  frame content;
  put16(content, 0x0303);
  testing::put(content, frame(32, std::byte{7}));
  testing::put(content, block(1, frame(32, std::byte{8})));
  if (message == 1) {
    testing::put(content, block(2, frame(4, std::byte{9})));
    testing::put(content, block(1, frame(1, std::byte{0})));
  } else {
    testing::put(content, frame(3, std::byte{0}));
  }
  testing::put(content, block(2, extensions));
  return handshake_record(message, content);
}

frame extension(unsigned type, const frame& content) {
  frame f;
  put16(f, type);
  testing::put(f, block(2, content));
  return f;
}

frame text(std::string_view content) {
  frame f;
  put_text(f, content);
  return f;
}

TEST(tls_hello, of_a_client_tells_its_highest_version_and_its_first_wish) {
  frame extensions =
      extension(43, block(1, text("\x7a\x7a\x03\x03\x03\x04"sv)));  // the first is none: RFC 8701
  testing::put(extensions, extension(16, block(2, text("\x02\x0a\x0a\x02h2\x08http/1.1"sv))));
  const frame whole = hello_with(1, extensions);
  const auto said = tls_hello_in(whole);
  ASSERT_TRUE(said);
  EXPECT_FALSE(said->of_server);
  EXPECT_EQ(said->version, 0x0304);
  EXPECT_EQ(said->protocol, "h2");
}

TEST(tls_hello, of_a_server_tells_what_it_chose) {
  frame extensions = extension(43, text("\x03\x04"sv));
  EXPECT_EQ(tls_hello_in(hello_with(2, extensions))->version, 0x0304);
  extensions = extension(16, block(2, text("\x08http/1.1"sv)));
  const frame whole = hello_with(2, extensions);
  const auto said = tls_hello_in(whole);
  EXPECT_TRUE(said->of_server);
  EXPECT_EQ(said->version, 0x0303);
  EXPECT_EQ(said->protocol, "http/1.1");
}

TEST(tls_hello, may_be_cut_anywhere_and_other_bytes_are_none) {
  frame extensions = extension(16, block(2, text("\x02h2"sv)));
  const frame whole = hello_with(1, extensions);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto said = tls_hello_in(std::span(whole).first(size));
    EXPECT_EQ(said.has_value(), size >= 11) << size;
    EXPECT_TRUE(!said || said->protocol.empty() || said->protocol == "h2") << size;
  }
  EXPECT_FALSE(tls_hello_in(bytes_of("GET / HTTP/1.1\r\n")));
  EXPECT_FALSE(tls_hello_in(bytes_of("\x16\x03\x03\x00\x04\x0b\x00\x00\x00"sv)));  // a certificate
}

frame client_hello(std::string_view name) {
  frame entry;
  put8(entry, 0);
  frame text;
  put_text(text, name);
  testing::put(entry, block(2, text));
  frame extensions;
  put16(extensions, 43);  // another one before it
  testing::put(extensions, block(2, frame(3, std::byte{4})));
  put16(extensions, 0);
  testing::put(extensions, block(2, block(2, entry)));
  frame content;
  put16(content, 0x0303);
  testing::put(content, frame(32, std::byte{7}));
  testing::put(content, block(1, frame(32, std::byte{8})));
  testing::put(content, block(2, frame(4, std::byte{9})));
  testing::put(content, block(1, frame(1, std::byte{0})));
  testing::put(content, block(2, extensions));
  return handshake_record(1, content);
}

TEST(spoken, tls_has_the_name_that_was_asked_for) {
  const frame whole_hello = client_hello("api.example.com");
  const speech s = spoken_in(whole_hello);
  EXPECT_EQ(s.what, protocol::tls);
  EXPECT_EQ(s.name, "api.example.com");
}

TEST(spoken, a_hello_that_is_cut_anywhere_has_no_name_or_the_whole_one) {
  const frame whole_hello = client_hello("api.example.com");
  for (std::size_t n = 0; n < whole_hello.size(); ++n) {
    const speech s = spoken_in(std::span{whole_hello}.first(n));
    EXPECT_TRUE(s.name.empty() || s.name == "api.example.com") << n << s.name;
  }
}

TEST(spoken, a_name_with_an_escape_sequence_is_none) {
  EXPECT_EQ(spoken_in(client_hello("a\x1b[31m.com")).name, "");
  EXPECT_EQ(spoken_in(bytes_of("GET / HTTP/1.1\r\nHost: a\x1b[31m\r\n\r\n")).name, "");
}

TEST(spoken, http_has_its_host) {
  const speech s = spoken_in(bytes_of("GET /a HTTP/1.1\r\nAccept: */*\r\nhOsT: shop.example:8080\r\n\r\n"));
  EXPECT_EQ(s.what, protocol::http);
  EXPECT_EQ(s.name, "shop.example");
  EXPECT_EQ(spoken_in(bytes_of("GET / HTTP/1.0\r\n\r\nHost: no.example\r\n")).name, "") << "that is the body";
  EXPECT_EQ(spoken_in(bytes_of("HTTP/1.1 200 OK\r\n")).what, protocol::http);
  EXPECT_EQ(spoken_in(bytes_of("GET out of here\r\n")).what, protocol::unknown);
}

TEST(spoken, each_protocol_by_its_first_bytes) {
  const std::map<std::string_view, protocol> all{
      {"SSH-2.0-OpenSSH_9.2\r\n", protocol::ssh},
      {"220 mx.example ESMTP Postfix\r\n", protocol::smtp},
      {"EHLO me\r\n", protocol::smtp},
      {"220 (vsFTPd 3.0.3)\r\n", protocol::ftp},
      {"* OK IMAP4rev1\r\n", protocol::imap},
      {"+OK POP3 ready\r\n", protocol::pop3},
      {"*1\r\n$4\r\nPING\r\n", protocol::redis},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", protocol::http2},
      {"AMQP\0\0\x09\x01"sv, protocol::amqp},
      {"\x10\x10\0\4MQTT\4\2"sv, protocol::mqtt},
      {"\0\0\0\x08\x04\xd2\x16\x2f"sv, protocol::postgresql},
      {"\x4a\0\0\0\x0a"
       "8.0.36\0"sv,
       protocol::mysql},
      {"\0\0\0\x55\xffSMBr"sv, protocol::smb},
      {"\x03\0\0\x13\x0e\xe0\0\0"sv, protocol::rdp},
      {"\x2f\0\0\0\1\0\0\0\0\0\0\0\xdd\x07\0\0"sv, protocol::mongodb},
      {"+OK\r\n", protocol::unknown},  // redis, pop3: nobody knows
      {"220 ready\r\n", protocol::unknown},
      {"hello", protocol::unknown},
      {"GET /a-path-that-goes-on-and-on", protocol::http},
      {"GET /\n", protocol::unknown},  // HTTP/1 has a version here
      {"GET a-key", protocol::unknown},
  };
  for (const auto& [text, what] : all) EXPECT_EQ(spoken_in(bytes_of(text)).what, what) << text;
}

/// "api.example.com" is asked for; a CNAME, an A and an AAAA are the answer.
frame dns_answer() {
  frame f;
  put16(f, 7);
  put16(f, 0x8180);
  put16(f, 1);
  put16(f, 3);
  put32(f, 0);
  put_text(f, "\3api\7example\3com\0"sv);
  put32(f, 0x00010001);
  const auto record = [&](unsigned type, const frame& content) {
    put16(f, 0xC00C);
    put16(f, type);
    put16(f, 1);
    put32(f, 60);
    testing::put(f, block(2, content));
  };
  frame alias;
  put_text(alias, "\1x\xC0\x10"sv);
  record(5, alias);
  record(1, {std::byte{10}, std::byte{0}, std::byte{0}, std::byte{9}});
  record(28, frame(16, std::byte{0xFD}));
  return f;
}

std::map<std::string, std::string> names_in(std::span<const std::byte> message) {
  std::map<std::string, std::string> names;
  read_dns_answer(message,
                  [&](const ip_address& a, const std::string& name) { names[a.to_string()] = name; });
  return names;
}

TEST(dns_answer, gives_the_name_that_was_asked_for) {
  const auto names = names_in(dns_answer());
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names.at("10.0.0.9"), "api.example.com");
}

TEST(dns_answer, that_is_cut_is_read_up_to_there) {
  const frame whole = dns_answer();
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_LE(names_in(std::span{whole}.first(n)).size(), 1U) << n;
}

TEST(dns_answer, that_points_to_itself_ends) {
  frame f;
  put32(f, 0x00018180);
  put32(f, 0x00010001);
  put32(f, 0);
  put16(f, 0xC00C);
  put32(f, 0x00010001);
  EXPECT_TRUE(names_in(f).empty());
}

TEST(dns_answer, of_multicast_has_the_name_with_the_address) {
  frame f;
  put32(f, 0x00008400);
  put32(f, 0x00000001);
  put32(f, 0);
  put_text(f, "\7printer\5local\0"sv);
  put32(f, 0x00018001);
  put32(f, 60);
  testing::put(f, block(2, {std::byte{10}, std::byte{0}, std::byte{0}, std::byte{5}}));
  EXPECT_EQ(names_in(f).at("10.0.0.5"), "printer.local");
}

TEST(dns_answer, a_question_is_none) {
  frame f = dns_answer();
  f[2] = std::byte{1};
  EXPECT_TRUE(names_in(f).empty());
}

}  // namespace
}  // namespace halfopen::trace
