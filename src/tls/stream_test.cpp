// The operations of a stream with TLS, where they could differ from those without.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <cstdio>
#include <memory>
#include <thread>

#include "halfopen/wire/text.hpp"
#include "tls/test_tls.hpp"

namespace halfopen::tls {
namespace {

using namespace test;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

std::string pattern(std::size_t size) {
  std::string bytes(size, 0);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 26);
  return bytes;
}

TEST(tls_stream, lines_messages_and_bytes_are_cut_as_without_it) {
  secured c;
  ASSERT_TRUE(c.begin());
  ASSERT_TRUE(c.other.write("one\ntwo\nabc"));
  EXPECT_EQ(c.line().value(), "one");
  EXPECT_EQ(c.line().value(), "two");
  EXPECT_EQ(c.play(c.s.read_exactly(2, 10, ample)).value(), "ab");
  EXPECT_EQ(c.s.unread(), "c");
  c.s.consume(1);
  ASSERT_TRUE(c.other.write("1 2\n"));
  wire::text::framer framer(100);
  EXPECT_EQ(c.play(c.s.read_message(framer, ample)).value(), "1 2");
  EXPECT_EQ(c.play(c.s.read_exactly(200, 100, ample)).error().how, ending::malformed);
}

TEST(tls_stream, big_writes_arrive_whole_at_a_slow_reader) {
  secured c;
  ASSERT_TRUE(c.begin());
  const int small = 4096;
  ::setsockopt(c.s.native_handle(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  const std::string sent = pattern(3'000'001);
  auto got = meanwhile([&] {
    std::string all;
    while (all.size() < sent.size()) {
      const std::string some = c.other.read(std::min<std::size_t>(100'000, sent.size() - all.size()));
      if (some.empty()) break;
      all += some;
      std::this_thread::sleep_for(1ms);
    }
    return all;
  });
  ASSERT_TRUE(c.write(sent));
  EXPECT_EQ(c.s.where(), phase::awaiting_reply);
  EXPECT_EQ(c.s.handed_over(), sent.size());
  EXPECT_TRUE(got.get() == sent);
}

TEST(tls_stream, a_write_that_was_cut_short_can_go_on) {
  secured c;
  ASSERT_TRUE(c.begin());
  const std::string sent = pattern(16 << 20);
  ASSERT_EQ(c.write(sent, 30ms).error().how, ending::deadline_passed);
  const auto handed_over = static_cast<std::size_t>(c.s.handed_over());
  // What is with the kernel is the beginning, and perhaps one record more is on its way there.
  auto got = meanwhile([&] { return c.other.read(handed_over); });
  ASSERT_TRUE(c.write("", ample));
  EXPECT_TRUE(got.get() == sent.substr(0, handed_over));
}

TEST(tls_stream, both_directions_go_at_once) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    secured c(role::client, {.least = version, .most = version});
    ASSERT_TRUE(c.begin());
    const std::string out = pattern(2'000'000), in = pattern(1'500'000);
    // It sends all before it reads anything: only who reads and writes at the same time is not stuck.
    auto got = meanwhile([&] {
      c.other.write(in);
      return c.other.read(out.size());
    });
    const bool well =
        c.play([](stream& s, const std::string& sent, const std::string& wanted) -> asio::awaitable<bool> {
          const auto [written, read] =
              co_await (s.write(sent, ample) && s.read_exactly(wanted.size(), wanted.size(), ample));
          co_return written&& read && *read == wanted;
        }(c.s, out, in));
    EXPECT_TRUE(well);
    EXPECT_TRUE(got.get() == out);
  }
}

TEST(tls_stream, after_the_peers_close_notify_we_may_still_speak) {
  secured c(role::server, {.least = TLS1_3_VERSION});
  ASSERT_TRUE(c.begin());
  ASSERT_TRUE(c.other.write("request\n"));
  c.other.close_notify();
  EXPECT_EQ(c.line().value(), "request");
  ASSERT_TRUE(c.write("reply\n"));
  // It has said that it reads no more; what came is in its socket all the same.
  EXPECT_GT(receive(c.other.fd.get(), 1).bytes.size(), 0U);
  EXPECT_EQ(c.line().error().how, ending::peer_closed);
}

TEST(tls_stream, keys_may_change_under_way) {
  secured c(role::client, {.least = TLS1_3_VERSION});
  ASSERT_TRUE(c.begin());
  for (const int kind : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    ASSERT_EQ(SSL_key_update(c.other.ssl(), kind), 1);
    ASSERT_TRUE(c.other.write("line\n"));
    EXPECT_EQ(c.line().value(), "line");
    ASSERT_TRUE(c.write("answer\n"));
    EXPECT_EQ(c.other.read(7), "answer\n");
  }
}

TEST(tls_stream, tickets_do_not_wake_who_waits_for_a_message) {
  secured c(role::client, {.least = TLS1_3_VERSION});
  ASSERT_TRUE(c.begin());
  ASSERT_EQ(SSL_new_session_ticket(c.other.ssl()), 1);
  ASSERT_EQ(SSL_do_handshake(c.other.ssl()), 1);
  EXPECT_EQ(c.line(20ms).error().how, ending::deadline_passed);
  EXPECT_EQ(c.s.where(), phase::idle);
  EXPECT_FALSE(c.s.ended_by_now());
}

TEST(tls_stream, a_flood_of_tickets_does_not_outlast_the_deadline) {
  secured c(role::client, {.least = TLS1_3_VERSION});
  ASSERT_TRUE(c.begin());
  std::atomic<bool> stop = false;
  const auto flood = meanwhile([&] {
    while (!stop && SSL_new_session_ticket(c.other.ssl()) == 1 && SSL_do_handshake(c.other.ssl()) == 1) {
    }
  });
  const auto line = c.line(50ms);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().how, ending::deadline_passed);
  stop = true;
  c.s.reset();
}

TEST(tls_stream, no_one_can_ask_for_another_handshake) {
  secured c(role::server, {.most = TLS1_2_VERSION});
  ASSERT_TRUE(c.begin());
  ASSERT_EQ(SSL_renegotiate(c.other.ssl()), 1);
  auto theirs = meanwhile([&] { return SSL_do_handshake(c.other.ssl()); });
  EXPECT_NE(c.line(moment).error().how, ending::completed);
  {
    const stream gone = std::move(c.s);
  }
  EXPECT_NE(theirs.get(), 1);
}

TEST(tls_stream, pieces_are_written_in_order_and_small_ones_share_a_record) {
  secured c;
  ASSERT_TRUE(c.begin());
  const std::string large = pattern(50'001);
  const std::array<std::string_view, 5> parts{"head", "", "er", large, "tail"};
  auto got = meanwhile([&] { return c.other.read(6 + large.size() + 4); });
  ASSERT_TRUE(c.play(c.s.write(parts, ample)));
  EXPECT_TRUE(got.get() == "header" + large + "tail");
  EXPECT_EQ(c.s.handed_over(), 10 + large.size());
  EXPECT_EQ(c.s.where(), phase::awaiting_reply);

  const std::array<std::string_view, 3> small{"a", "b", "c"};
  ASSERT_TRUE(c.play(c.s.write(small, ample)));
  std::array<char, 8> first;
  EXPECT_EQ(SSL_read(c.other.ssl(), first.data(), first.size()), 3) << "one record";
}

TEST(tls_stream, reads_into_memory_give_plaintext) {
  secured c;
  ASSERT_TRUE(c.begin());
  const std::string sent = pattern(40'000);
  ASSERT_TRUE(c.other.write(sent));
  std::string all;
  std::array<char, 1000> memory;
  while (all.size() < sent.size()) {
    const auto got = c.play(c.s.read_into(memory, ample));
    ASSERT_TRUE(got && *got > 0);
    all.append(memory.data(), *got);
  }
  EXPECT_TRUE(all == sent);
  EXPECT_EQ(c.s.where(), phase::receiving_reply);
  c.other.close_notify();
  EXPECT_EQ(c.play(c.s.read_into(memory, ample)).error().how, ending::peer_closed);
}

TEST(tls_stream, a_file_arrives_whole_at_a_slow_reader) {
  secured c;
  ASSERT_TRUE(c.begin());
  const std::string sent = pattern(3'000'001);
  const std::unique_ptr<std::FILE, decltype([](std::FILE* f) { std::fclose(f); })> file(std::tmpfile());
  ASSERT_EQ(std::fwrite(sent.data(), 1, sent.size(), file.get()), sent.size());
  std::fflush(file.get());
  auto got = meanwhile([&] {
    std::this_thread::sleep_for(moment);
    return c.other.read(sent.size() - 1);
  });
  ASSERT_TRUE(c.play(c.s.send_file(::fileno(file.get()), 1, sent.size() - 1, ample)));
  EXPECT_TRUE(got.get() == sent.substr(1));
  EXPECT_EQ(c.s.handed_over(), sent.size() - 1);
  const auto short_one = c.play(c.s.send_file(::fileno(file.get()), sent.size(), 1, ample));
  ASSERT_FALSE(short_one);
  EXPECT_EQ(short_one.error().how, ending::local_failure);
}

TEST(tls_stream, two_of_ours_understand_each_other_on_one_thread) {
  ends e = connection();
  asio::io_context io(1);
  stream here(io.get_executor(), std::move(e.here)), there(io.get_executor(), std::move(e.there));
  const auto mine = our_client();
  const auto theirs = our_server();
  const std::string much = pattern(500'000);
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        if (!co_await there.secure(*theirs, "", ample)) co_return;
        const auto got = co_await there.read_exactly(much.size(), much.size(), ample);
        EXPECT_TRUE(got && *got == much);
        EXPECT_TRUE(co_await there.write("well\n", ample));
        EXPECT_EQ((co_await there.next_message(ample)).error().how, ending::completed);
        co_await there.close(ample);
      },
      asio::detached);
  play(io, [&]() -> asio::awaitable<void> {
    EXPECT_TRUE(co_await here.secure(*mine, "server", ample));
    EXPECT_TRUE(co_await here.write(much, ample));
    EXPECT_EQ((co_await here.read_line(100, ample)).value(), "well");
    here.settle();
    co_await here.close(ample);
  }());
}

}  // namespace
}  // namespace halfopen::tls
