// What a stream reads and writes, and within which limits.

#include "halfopen/stream.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <thread>

#include "fate/emulation.hpp"
#include "halfopen/wire/binary.hpp"
#include "halfopen/wire/text.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST(stream, lines_come_one_by_one_without_their_lf) {
  conversation c;
  send_all(c.peer.get(), "one\n\ntwo\nthr");
  EXPECT_EQ(c.line().value(), "one");
  EXPECT_EQ(c.line().value(), "");
  EXPECT_EQ(c.line().value(), "two");
  EXPECT_EQ(c.s.unread(), "thr");
  send_all(c.peer.get(), "ee\n");
  EXPECT_EQ(c.line().value(), "three");
}

TEST(stream, a_line_may_be_as_long_as_the_limit_and_no_longer) {
  for (const bool in_one_segment : {true, false}) {
    conversation c;
    send_all(c.peer.get(), std::string(100, 'a') + "\n");
    EXPECT_EQ(c.line().value().size(), 100U);
    send_all(c.peer.get(), std::string(101, 'a'));
    if (in_one_segment) send_all(c.peer.get(), "\n");
    const auto line = c.line();
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().how, ending::malformed);
    EXPECT_EQ(line.error().again, retry::pointless);
    EXPECT_EQ(line.error().detail, "a message longer than the limit");
  }
}

TEST(stream, a_nul_in_a_line_is_malformed_even_before_its_lf) {
  conversation c;
  send_all(c.peer.get(), std::string_view("fine\na\0b", 8));
  EXPECT_EQ(c.line().value(), "fine");
  const auto line = c.line();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().how, ending::malformed);
  EXPECT_EQ(line.error().detail, "a NUL byte in a text line");
}

TEST(stream, exactly_that_many_bytes_whatever_they_are) {
  conversation c;
  send_all(c.peer.get(), std::string_view("a\0b\ncd", 6));
  EXPECT_EQ(c.play(c.s.read_exactly(3, 3, ample)).value(), std::string_view("a\0b", 3));
  EXPECT_EQ(c.play(c.s.read_exactly(0, 3, ample)).value(), "");
  EXPECT_EQ(c.play(c.s.read_exactly(4, 4, 20ms)).error().how, ending::deadline_passed);
  send_all(c.peer.get(), "e");
  EXPECT_EQ(c.play(c.s.read_exactly(4, 4, ample)).value(), "\ncde");
}

// A read stops at the mark of urgent data, short of what is behind it (tcp(7), SO_OOBINLINE in socket(7)).
TEST(stream, bytes_on_both_sides_of_urgent_data_come_all) {
  for (const bool all_before_the_first_edge : {true, false}) {
    conversation c;
    const auto urgent = [&] { ASSERT_EQ(::send(c.peer.get(), "!", 1, MSG_OOB), 1); };
    if (!all_before_the_first_edge) {
      send_all(c.peer.get(), "0\n");
      EXPECT_EQ(c.line().value(), "0");
    }
    send_all(c.peer.get(), "be");
    urgent();
    send_all(c.peer.get(), "hind\n");
    std::this_thread::sleep_for(moment);
    EXPECT_EQ(c.line().value(), "behind");
    send_all(c.peer.get(), "more\n");
    EXPECT_EQ(c.line().value(), "more");
  }
}

// Behind the last byte, in the same edge: the peer's FIN is seen although nothing comes any more.
TEST(stream, a_fin_that_came_with_the_last_bytes_is_seen) {
  conversation c;
  send_all(c.peer.get(), "last\n");
  finish(c.peer);
  std::this_thread::sleep_for(moment);
  EXPECT_EQ(c.line().value(), "last");
  EXPECT_EQ(c.line().error().how, ending::peer_closed);
}

TEST(stream, a_size_that_nobody_would_believe_is_malformed_at_once) {
  conversation c;
  const auto bytes = c.play(c.s.read_exactly(4'000'000'000, 1000, deadline::never()));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().how, ending::malformed);
}

TEST(stream, a_line_that_was_not_whole_in_time_may_be_read_another_way) {
  conversation c;
  send_all(c.peer.get(), "size 7");
  EXPECT_EQ(c.line(20ms).error().how, ending::deadline_passed);
  send_all(c.peer.get(), "\nab\ncd\n");
  EXPECT_EQ(c.play(c.s.read_exactly(7, 7, ample)).value(), "size 7\n");
  EXPECT_EQ(c.line(100ms).value(), "ab") << "what was searched in vain is not there any more";
  EXPECT_EQ(c.line(100ms).value(), "cd");
}

TEST(stream, read_gives_what_is_here_until_it_is_consumed) {
  conversation c;
  send_all(c.peer.get(), "abc");
  EXPECT_EQ(c.play(c.s.read(ample)).value(), "abc");
  EXPECT_EQ(c.play(c.s.read(ample)).value(), "abc");
  c.s.consume(2);
  EXPECT_EQ(c.play(c.s.read(ample)).value(), "c");
  c.s.consume(1000);
  EXPECT_EQ(c.play(c.s.read(20ms)).error().how, ending::deadline_passed);
}

TEST(stream, messages_of_a_framer) {
  conversation c;
  wire::text::framer lines(10);
  send_all(c.peer.get(), "1 2\n3 ");
  EXPECT_EQ(c.play(c.s.read_message(lines, ample)).value(), "1 2");
  send_all(c.peer.get(), "4\n");
  EXPECT_EQ(c.play(c.s.read_message(lines, ample)).value(), "3 4");
  send_all(c.peer.get(), "12345678901");
  EXPECT_EQ(c.play(c.s.read_message(lines, ample)).error().how, ending::malformed);

  conversation binary;
  wire::binary::framer frames;
  send_all(binary.peer.get(), std::string_view("\xff\xff\xff\xff", 4));
  EXPECT_EQ(binary.play(binary.s.read_message(frames, ample)).error().how, ending::malformed);
}

TEST(stream, half_a_message_and_a_fin_is_peer_closed) {
  conversation c;
  wire::text::framer lines(10);
  send_all(c.peer.get(), "1 ");
  finish(c.peer);
  const auto message = c.play(c.s.read_message(lines, ample));
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().how, ending::peer_closed);
  EXPECT_EQ(message.error().when, phase::receiving_reply);
}

TEST(stream, a_byte_now_and_then_does_not_move_the_deadline) {
  conversation c;
  std::jthread slow([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && send_all(c.peer.get(), "x")) std::this_thread::sleep_for(5ms);
  });
  const auto start = steady_clock::now();
  const auto line = c.play(c.s.read_line(100'000, 120ms));
  EXPECT_GE(steady_clock::now() - start, 120ms);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().how, ending::deadline_passed);
  EXPECT_EQ(line.error().when, phase::receiving_reply);
  EXPECT_EQ(c.s.how_it_ended(), nullptr) << "it goes on";
  slow.request_stop();
}

TEST(stream, a_flood_without_an_lf_takes_no_more_memory_than_one_read) {
  conversation c;
  const std::jthread flood([&] { send_all(c.peer.get(), std::string(std::size_t{16} << 20, 'x')); });
  std::this_thread::sleep_for(moment);
  EXPECT_EQ(c.play(c.s.read_line(1000, ample)).error().how, ending::malformed);
  EXPECT_LE(c.s.unread().size(), 1000U + 65536U);
  c.s.reset();
}

TEST(stream, a_large_message_is_read_whole_though_others_get_their_turn) {
  conversation c;
  const std::string large(std::size_t{8} << 20, 'y');
  const std::jthread sender([&] { send_all(c.peer.get(), large + "\n"); });
  EXPECT_EQ(c.play(c.s.read_line(large.size(), ample)).value(), large);
}

TEST(stream, a_write_waits_for_a_slow_reader) {
  conversation c;
  const std::string large(std::size_t{8} << 20, 'z');
  received got;
  {
    const std::jthread reader([&] {
      std::this_thread::sleep_for(moment);
      got = receive(c.peer.get(), large.size());
    });
    EXPECT_TRUE(c.write(large, ample));
  }
  EXPECT_EQ(got.bytes, large);
  EXPECT_EQ(c.s.handed_over(), large.size());
  EXPECT_EQ(c.s.where(), phase::awaiting_reply);
}

TEST(stream, a_write_ends_at_its_deadline_if_nobody_reads) {
  conversation c;
  const std::string large(std::size_t{32} << 20, 'z');
  const auto sent = c.write(large, 100ms);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().how, ending::deadline_passed);
  EXPECT_EQ(sent.error().when, phase::sending);
  EXPECT_EQ(sent.error().again, retry::unknown);
  EXPECT_GT(c.s.handed_over(), 0U);
  EXPECT_LT(c.s.handed_over(), large.size());
}

void echo_until_end(int fd) {
  static thread_local std::array<char, 65536> buffer;
  for (ssize_t got = 1; (got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;)
    if (!send_all(fd, {buffer.data(), static_cast<std::size_t>(got)})) return;
}

TEST(stream, one_reads_while_another_writes) {
  using namespace asio::experimental::awaitable_operators;
  conversation c;
  const std::jthread echo([&] { echo_until_end(c.peer.get()); });
  std::string large(std::size_t{emulation::by.empty() ? 8U : 1U} << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>((i * 2654435761U) >> 13U);
  const auto [sent, back] =
      c.play(c.s.write(large, ample) && c.s.read_exactly(large.size(), large.size(), ample));
  EXPECT_TRUE(sent);
  EXPECT_TRUE(back && *back == large);
  c.s.reset();
}

TEST(stream, asio_cancellation_ends_an_operation_and_not_the_stream) {
  using namespace asio::experimental::awaitable_operators;
  conversation c;
  asio::steady_timer timer(c.context, 20ms);
  send_all(c.peer.get(), "on");
  const auto first = c.play(c.s.read_line(100, deadline::never()) || timer.async_wait(asio::use_awaitable));
  EXPECT_EQ(first.index(), 1U);
  send_all(c.peer.get(), "e\n");
  EXPECT_EQ(c.line().value(), "one");
}

TEST(stream, what_is_no_socket_is_refused) {
  asio::io_context context;
  EXPECT_THROW(stream(context.get_executor(), unique_fd()), std::system_error);
  for (const char* file : {"/proc/self/exe", "/dev/null", "/"})
    EXPECT_THROW(stream(context.get_executor(), unique_fd(::open(file, O_RDONLY))), std::system_error);
}

TEST(stream, an_idle_one_moves_and_is_assigned) {
  conversation c;
  conversation other;
  c.s = std::move(c.s);
  stream taken = std::move(c.s);
  EXPECT_FALSE(c.s);
  c.s = std::move(taken);
  send_all(c.peer.get(), "x\n");
  EXPECT_EQ(c.line().value(), "x");
  c.s = stream();
  EXPECT_TRUE(receive(c.peer.get()).ended);
}

}  // namespace
}  // namespace halfopen::net
