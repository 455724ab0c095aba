// Whatever bytes come, a session ends in a state that it knows, and gives no plaintext that nobody
// has sent. OpenSSL's parsers have fuzzers of their own; what is tried here is what lies around them.

#include <gtest/gtest.h>

#include <random>

#include "tls/failure.hpp"
#include "tls/session.hpp"
#include "tls/test_tls.hpp"

namespace halfopen::tls {
namespace {

using namespace test;
using course = net::layer::course;

SSL_CTX* client_side() {
  static const context_handle c(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_load_verify_file(c.get(), made().authority.c_str());
  SSL_CTX_set_verify(c.get(), SSL_VERIFY_PEER, nullptr);
  return c.get();
}

SSL_CTX* server_side() {
  static const context_handle c(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate_chain_file(c.get(), made().server.c_str());
  SSL_CTX_use_PrivateKey_file(c.get(), made().server_key.c_str(), SSL_FILETYPE_PEM);
  return c.get();
}

/// Of whole records: whether that byte is one of the version, which TLS 1.3 does not heed (RFC 8446
/// section 5.1).
bool is_of_the_version(std::string_view records, std::size_t place) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(records[i]));
  };
  for (std::size_t at = 0; at + 5 <= records.size(); at += 5 + byte(at + 3) * 256 + byte(at + 4))
    if (place == at + 1 || place == at + 2) return true;
  return false;
}

/// Two sessions with nothing but memory between them.
struct two {
  two() : client(client_side(), {.name = "server"}), server(server_side()) {}

  /// One has its say, and the bytes are changed on their way.
  template <class Change>
  static std::string deliver(session& from, session& to, Change&& change) {
    std::string bytes(from.to_send.view());
    from.to_send = {};
    change(bytes);
    wire::byte_queue plain;
    to.take(bytes, plain);
    return std::string(plain.view());
  }
  template <class Change>
  void shake_hands(Change&& change) {
    for (int i = 0; i < 6; ++i) {
      deliver(client, server, change);
      deliver(server, client, change);
    }
  }
  void shake_hands() {
    shake_hands([](std::string&) {});
  }

  session client, server;
};

TEST(tls_hostile, untouched_bytes_make_a_connection) {
  two t;
  t.shake_hands();
  ASSERT_EQ(t.client.now, course::open);
  ASSERT_EQ(t.server.now, course::open);
  ASSERT_EQ(t.client.wrap("hello"), 5U);
  EXPECT_EQ(two::deliver(t.client, t.server, [](std::string&) {}), "hello");
}

TEST(tls_hostile, any_bit_that_is_changed_in_a_handshake_ends_it) {
  // Each bit of the client's hello and the server's answer would take minutes.
  std::mt19937 random(1);  // NOLINT(*-msc51-cpp): the same bits each time
  for (int i = 0; i < 300; ++i) {
    two t;
    std::size_t size = 0;
    const std::size_t place = random() % 3000;
    const auto bit = static_cast<char>(1U << (random() % 8));
    bool changed = false;
    t.shake_hands([&](std::string& bytes) {
      if (!changed && place >= size && place < size + bytes.size() &&
          !is_of_the_version(bytes, place - size)) {
        bytes[place - size] = static_cast<char>(bytes[place - size] ^ bit);
        changed = true;
      }
      size += bytes.size();
    });
    // A longer length, of a ticket say, is believed until it proves wrong: the rest is waited for.
    const bool waits = t.client.in_mid_record() || t.server.in_mid_record();
    EXPECT_FALSE(changed && !waits && t.client.now == course::open && t.server.now == course::open)
        << "bit " << int{bit} << " of byte " << place;
  }
}

TEST(tls_hostile, a_changed_record_gives_no_byte) {
  std::mt19937 random(2);  // NOLINT(*-msc51-cpp)
  for (int i = 0; i < 200; ++i) {
    two t;
    t.shake_hands();
    ASSERT_EQ(t.client.wrap("a request that must not be changed"), 34U);
    const std::string got = two::deliver(t.client, t.server, [&](std::string& bytes) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << (random() % 8));
    });
    EXPECT_EQ(got, "");
    EXPECT_NE(t.server.now, course::finished);
  }
}

TEST(tls_hostile, random_bytes_are_never_a_connection) {
  std::mt19937 random(3);  // NOLINT(*-msc51-cpp)
  for (int i = 0; i < 500; ++i) {
    two t;
    std::string bytes(random() % 600, 0);
    for (char& b : bytes) b = static_cast<char>(random());
    if (i % 2 == 0 && bytes.size() > 5) bytes.replace(0, 3, "\x16\x03\x03");  // what looks like a handshake
    wire::byte_queue plain;
    session& victim = i % 3 == 0 ? t.client : t.server;
    victim.take(bytes, plain);
    victim.take(bytes, plain);
    EXPECT_TRUE(plain.empty());
    EXPECT_NE(victim.now, course::open);
    EXPECT_EQ(victim.now == course::failed, !victim.why.detail.empty());
  }
}

TEST(tls_hostile, bytes_one_by_one_are_as_good_as_all_at_once) {
  two t;
  const auto slowly = [](session& from, session& to) {
    const std::string bytes(from.to_send.view());
    from.to_send = {};
    wire::byte_queue plain;
    for (const char& b : bytes) to.take({&b, 1}, plain);
    return std::string(plain.view());
  };
  for (int i = 0; i < 4; ++i) {
    slowly(t.client, t.server);
    slowly(t.server, t.client);
  }
  ASSERT_EQ(t.client.now, course::open);
  ASSERT_EQ(t.server.wrap("hello"), 5U);
  EXPECT_FALSE(t.client.in_mid_record());
  EXPECT_EQ(slowly(t.server, t.client), "hello");
  t.server.finish();
  t.server.finish();
  EXPECT_EQ(slowly(t.server, t.client), "");
  EXPECT_EQ(t.client.now, course::finished);
}

TEST(tls_hostile, a_part_of_a_record_is_known_as_one) {
  two t;
  t.shake_hands();
  ASSERT_EQ(t.client.wrap("hello"), 5U);
  const std::string bytes(t.client.to_send.view());
  for (const std::size_t size : {std::size_t{1}, std::size_t{4}, bytes.size() - 1}) {
    two u;
    u.shake_hands();
    ASSERT_EQ(u.client.wrap("hello"), 5U);
    EXPECT_EQ(two::deliver(u.client, u.server, [size](std::string& all) { all.resize(size); }), "");
    EXPECT_TRUE(u.server.in_mid_record()) << size;
  }
}

TEST(tls_hostile, what_a_failure_is_called_lives_for_ever_and_once) {
  const std::string_view one = forever("a ", "text");
  EXPECT_EQ(one, "a text");
  EXPECT_EQ(forever("a t", "ext").data(), one.data());
}

}  // namespace
}  // namespace halfopen::tls
