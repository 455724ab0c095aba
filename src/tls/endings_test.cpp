// What each ending of a connection with TLS is called, and what may be asked again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tls/test_tls.hpp"

namespace halfopen::tls {
namespace {

using namespace test;
using namespace std::chrono_literals;

void expect(const fate& f, ending how, phase when, retry again, std::string_view detail) {
  EXPECT_EQ(to_string(f.how), to_string(how)) << to_string(f);
  EXPECT_EQ(f.when, when) << to_string(f);
  EXPECT_EQ(f.again, again) << to_string(f);
  EXPECT_EQ(f.detail, detail);
}

constexpr std::string_view truncated = "truncated: end-of-file without TLS close_notify";
constexpr std::string_view no_notify = "end-of-file without TLS close_notify";

/// A client that has asked and got that much of a reply.
void ask(secured& c, std::string_view reply = {}) {
  ASSERT_TRUE(c.begin());
  ASSERT_TRUE(c.write("request\n"));
  ASSERT_EQ(c.other.read(8), "request\n");
  ASSERT_TRUE(c.other.write(reply));
}

TEST(tls_ending, close_notify_where_nothing_is_owed_is_completed) {
  secured fresh;
  ASSERT_TRUE(fresh.begin());
  fresh.other.close_notify();
  expect(fresh.play(fresh.s.ended()), ending::completed, phase::idle, retry::safe, "TLS close_notify");

  secured answered;
  ask(answered, "reply\n");
  answered.other.close_notify();
  EXPECT_EQ(answered.line().value(), "reply");
  answered.s.settle();
  expect(answered.play(answered.s.ended()), ending::completed, phase::idle, retry::pointless,
         "TLS close_notify");
  EXPECT_EQ(answered.s.how_it_ended()->how, ending::completed);
}

TEST(tls_ending, close_notify_in_mid_message_is_peer_closed) {
  secured awaiting;
  ask(awaiting);
  awaiting.other.close_notify();
  expect(awaiting.line().error(), ending::peer_closed, phase::awaiting_reply, retry::unknown,
         "TLS close_notify");

  secured receiving;
  ask(receiving, "rep");
  receiving.other.close_notify();
  expect(receiving.line().error(), ending::peer_closed, phase::receiving_reply, retry::unknown,
         "TLS close_notify");
  EXPECT_EQ(receiving.s.unread(), "rep");
}

TEST(tls_ending, a_fin_alone_in_mid_message_is_truncated_and_never_a_clean_end) {
  secured awaiting;
  ask(awaiting);
  finish(awaiting.other.fd);
  expect(awaiting.line().error(), ending::peer_closed, phase::awaiting_reply, retry::unknown, truncated);

  secured receiving;
  ask(receiving, "rep");
  finish(receiving.other.fd);
  expect(receiving.line().error(), ending::peer_closed, phase::receiving_reply, retry::unknown, truncated);
}

TEST(tls_ending, a_fin_alone_between_messages_is_completed_and_says_so) {
  secured c;
  ask(c, "reply\n");
  EXPECT_EQ(c.line().value(), "reply");
  c.s.settle();
  finish(c.other.fd);
  expect(c.play(c.s.ended()), ending::completed, phase::idle, retry::pointless, no_notify);
}

TEST(tls_ending, a_record_that_is_cut_off_is_truncated_between_messages_too) {
  secured c;
  ask(c, "reply\n");
  EXPECT_EQ(c.line().value(), "reply");
  c.s.settle();
  send_all(c.other.fd.get(), std::string_view("\x17\x03\x03\x00\x40half", 9));
  finish(c.other.fd);
  expect(c.play(c.s.ended()), ending::peer_closed, phase::idle, retry::pointless, truncated);
}

TEST(tls_ending, a_record_that_was_changed_is_malformed_and_the_peer_is_told) {
  secured c;
  ask(c, "reply\n");
  EXPECT_EQ(c.line().value(), "reply");
  std::string record("\x17\x03\x03\x00\x20", 5);
  send_all(c.other.fd.get(), record.append(32, 'x'));
  expect(c.line().error(), ending::malformed, phase::receiving_reply, retry::pointless,
         "TLS: decryption failed or bad record mac");
  EXPECT_EQ(c.line().error().how, ending::malformed);
  const auto written = c.write("more\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().how, ending::malformed);
  EXPECT_EQ(c.other.read(1), "");
  EXPECT_EQ(c.other.alert(), "bad record mac");
}

TEST(tls_ending, what_came_before_a_wrong_record_is_still_read) {
  secured c;
  ask(c, "reply\nrest");
  std::string record("\x17\x03\x03\x00\x20", 5);
  send_all(c.other.fd.get(), record.append(32, 'x'));
  std::this_thread::sleep_for(moment);  // so that both are one read
  EXPECT_EQ(c.line().value(), "reply");
  EXPECT_EQ(c.line().error().how, ending::malformed);
  EXPECT_EQ(c.s.unread(), "rest");
}

TEST(tls_ending, an_rst_is_peer_reset) {
  secured c;
  ask(c, "rep");
  reset(c.other.fd);
  const auto line = c.line();
  ASSERT_FALSE(line);
  expect(line.error(), ending::peer_reset, phase::receiving_reply, retry::unknown, {});
  EXPECT_EQ(line.error().error, ECONNRESET);
  EXPECT_EQ(line.error().or_else, ending::peer_rebooted);
}

TEST(tls_ending, the_peers_fatal_alert_is_named) {
  // In TLS 1.3 the client is done before the server has looked at its certificate.
  secured c(role::client, {.least = TLS1_3_VERSION, .trust = made().authority});
  auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  ASSERT_TRUE(c.secure(*our_client()));
  EXPECT_FALSE(theirs.get());
  const auto line = c.line();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().how, ending::peer_closed);
  EXPECT_EQ(line.error().detail, "the peer's TLS alert: certificate required");
}

TEST(tls_ending, a_write_to_a_dead_connection_is_broken_pipe) {
  secured c;
  ASSERT_TRUE(c.begin());
  reset(c.other.fd);
  stream::result<void> written;
  for (int i = 0; i < 3 && written; ++i) written = c.write("x\n");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().how, testing::AnyOf(ending::broken_pipe, ending::peer_reset));
}

TEST(tls_ending, the_deadline_of_a_read_claims_nothing) {
  secured c;
  ask(c, "rep");
  const auto line = c.line(20ms);
  ASSERT_FALSE(line);
  expect(line.error(), ending::deadline_passed, phase::receiving_reply, retry::unknown,
         "the time limit passed");
  EXPECT_EQ(c.s.how_it_ended(), nullptr);
  EXPECT_TRUE(c.other.write("ly\n"));
  EXPECT_EQ(c.line().value(), "reply");
}

TEST(tls_ending, a_request_of_which_the_kernel_took_nothing_may_be_asked_again) {
  secured c;
  ASSERT_TRUE(c.begin());
  // The socket is full: the peer does not read.
  const std::string much(16 << 20, 'x');
  ASSERT_EQ(c.write(much, 50ms).error().how, ending::deadline_passed);
  const std::uint64_t before = c.s.handed_over();
  EXPECT_GT(before, 0U);
  EXPECT_LT(before, much.size());
  EXPECT_EQ(c.write(much, 0ms).error().again, retry::unknown);  // the same message

  // A message of its own, of which a record was made, but no byte is with the kernel.
  secured d;
  ASSERT_TRUE(d.begin());
  while (::send(d.s.native_handle(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  const auto second = d.write("request\n", 20ms);
  ASSERT_FALSE(second);
  expect(second.error(), ending::deadline_passed, phase::sending, retry::safe, "the time limit passed");
  EXPECT_EQ(d.s.handed_over(), 0U);
}

TEST(tls_ending, close_says_close_notify_and_fin_and_waits_for_the_peers_fin) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    secured c(role::client, {.least = version, .most = version});
    ask(c, "rep");
    auto theirs = meanwhile([&] {
      const bool told = c.other.was_told_of_the_end();
      const bool fin = receive(c.other.fd.get()).ended;
      c.other.close_notify();
      finish(c.other.fd);
      return told && fin;
    });
    c.play(c.s.close(ample));
    EXPECT_FALSE(c.s);
    EXPECT_TRUE(theirs.get());
  }
}

TEST(tls_ending, a_stream_that_is_destroyed_says_close_notify_too) {
  secured c;
  ask(c);
  {
    const stream gone = std::move(c.s);
  }
  EXPECT_TRUE(c.other.was_told_of_the_end());
}

TEST(tls_ending, close_answers_the_peers_close_notify) {
  secured c(role::server);
  ASSERT_TRUE(c.begin());
  c.other.close_notify();
  expect(c.play(c.s.next_message(ample)).error(), ending::completed, phase::idle, retry::safe,
         "TLS close_notify");
  auto theirs = meanwhile([&] {
    const bool told = c.other.was_told_of_the_end();
    finish(c.other.fd);
    return told;
  });
  c.play(c.s.close(ample));
  EXPECT_TRUE(theirs.get());
}

TEST(tls_ending, reset_is_an_rst_and_no_word_more) {
  secured c;
  ask(c);
  c.s.reset();
  EXPECT_EQ(receive(c.other.fd.get()).error, ECONNRESET);
}

TEST(tls_ending, a_pool_sees_it_before_it_asks) {
  secured c;
  ask(c, "reply\n");
  EXPECT_EQ(c.line().value(), "reply");
  c.s.settle();
  EXPECT_FALSE(c.s.ended_by_now());
  c.other.close_notify();
  std::this_thread::sleep_for(moment);
  expect(c.s.ended_by_now().value(), ending::completed, phase::idle, retry::pointless, "TLS close_notify");

  secured d;
  ask(d, "reply\n");
  EXPECT_EQ(d.line().value(), "reply");
  d.s.settle();
  ASSERT_TRUE(d.other.write("more"));
  std::this_thread::sleep_for(moment);
  EXPECT_EQ(d.s.ended_by_now().value().how, ending::malformed);
}

TEST(tls_ending, a_server_that_is_drained_ends_its_wait_with_shut_down) {
  secured c(role::server);
  ASSERT_TRUE(c.begin());
  c.s.drain();
  EXPECT_EQ(c.play(c.s.next_message(ample)).error().how, ending::shut_down);
}

}  // namespace
}  // namespace halfopen::tls
