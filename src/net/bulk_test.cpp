// Writes of many pieces and of files, and reads into the caller's memory.

#include "net/bulk.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <future>
#include <thread>

#include "net/test_folder.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using std::string_view;

std::string alphabet(std::size_t size) {
  std::string bytes(size, 0);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 26);
  return bytes;
}

TEST(bulk, pieces_are_listed_joined_and_consumed_without_the_empty_ones) {
  const std::array<string_view, 5> all{"", "abc", "", "de", ""};
  pieces p(all);
  std::array<char, 4> memory;
  EXPECT_EQ(p.join(memory), "abcd");
  p.consume(1);
  EXPECT_EQ(p.first(), "bc");
  std::array<iovec, 8> places;
  ASSERT_EQ(p.list(places), 4U);
  EXPECT_EQ(places[0].iov_len, 2U);
  p.consume(2);
  EXPECT_EQ(p.first(), "de");
  EXPECT_EQ(p.list({places.data(), 1}), 1U);
  p.consume(2);
  EXPECT_TRUE(p.empty());
  EXPECT_EQ(p.join(memory), "");
  EXPECT_TRUE(pieces({}).empty());
}

/// Two ends that keep the borders between writes.
ends packets() {
  int both[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both) != 0) std::abort();
  return {unique_fd(both[0]), unique_fd(both[1])};
}

TEST(bulk, pieces_go_in_one_system_call) {
  conversation c(packets());
  const std::array<string_view, 4> parts{"head", "", " and ", "body"};
  ASSERT_TRUE(c.play(c.s.write(parts, ample)));
  std::array<char, 100> got;
  const ssize_t size = ::recv(c.peer.get(), got.data(), got.size(), MSG_DONTWAIT);
  ASSERT_GT(size, 0);
  EXPECT_EQ(string_view(got.data(), static_cast<std::size_t>(size)), "head and body");
  EXPECT_EQ(c.s.where(), phase::awaiting_reply);
  EXPECT_EQ(c.s.handed_over(), 13U);
}

TEST(bulk, many_large_pieces_arrive_whole_at_a_slow_reader) {
  conversation c;
  const std::string one = alphabet(70'001);
  const std::vector<string_view> parts(150, one);
  auto got = std::async(std::launch::async, [&] {
    std::this_thread::sleep_for(moment);
    return receive(c.peer.get(), 150 * one.size()).bytes;
  });
  ASSERT_TRUE(c.play(c.s.write(parts, ample)));
  EXPECT_EQ(c.s.handed_over(), 150 * one.size());
  std::string wanted;
  for (const string_view p : parts) wanted += p;
  EXPECT_TRUE(got.get() == wanted);
}

TEST(bulk, pieces_of_which_the_kernel_took_none_may_be_asked_again_and_else_not) {
  for (const bool some : {false, true}) {
    conversation c;
    if (some) {
      const std::string much = alphabet(16 << 20);
      const std::array<string_view, 2> parts{much, much};
      const auto late = c.play(c.s.write(parts, 0ms));
      ASSERT_FALSE(late);
      EXPECT_EQ(late.error().when, phase::sending);
      EXPECT_EQ(late.error().again, retry::unknown);
      continue;
    }
    reset(c.peer);
    static_cast<void>(c.play(c.s.ended()));
    const std::array<string_view, 2> parts{"a", "b"};
    const auto none = c.play(c.s.write(parts, ample));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().again, retry::safe);
    EXPECT_EQ(c.s.handed_over(), 0U);
  }
}

TEST(bulk, no_pieces_are_a_write_too) {
  conversation c;
  EXPECT_TRUE(c.play(c.s.write(std::span<const string_view>{}, ample)));
  EXPECT_EQ(c.s.handed_over(), 0U);
}

TEST(bulk, reads_into_memory_what_is_here_first_and_leaves_the_rest_in_the_kernel) {
  conversation c;
  send_all(c.peer.get(), "line\nabcdefghij");
  EXPECT_EQ(c.line().value(), "line");
  const std::size_t buffered = c.s.unread().size();
  std::array<char, 4> memory;
  std::string all;
  while (all.size() < buffered) {
    const auto got = c.play(c.s.read_into({memory.data(), 3}, ample));
    ASSERT_TRUE(got);
    all.append(memory.data(), *got);
  }
  EXPECT_EQ(all, string_view("abcdefghij").substr(0, buffered));
  send_all(c.peer.get(), "0123456789");
  const auto some = c.play(c.s.read_into(memory, ample));
  ASSERT_TRUE(some && *some > 0);
  EXPECT_EQ(c.s.unread(), "") << "no more was read than there is memory for";
  EXPECT_EQ(c.s.where(), phase::receiving_reply);
  EXPECT_EQ(c.play(c.s.read_exactly(10 - *some, 10, ample)).value(), string_view("0123456789").substr(*some));
  EXPECT_EQ(c.play(c.s.read_into({}, ample)).value(), 0U);
}

TEST(bulk, a_read_into_memory_ends_as_every_read) {
  conversation c;
  std::array<char, 4> memory;
  const auto late = c.play(c.s.read_into(memory, 10ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().how, ending::deadline_passed);
  send_all(c.peer.get(), "ab");
  EXPECT_EQ(c.play(c.s.read_into(memory, ample)).value(), 2U);
  finish(c.peer);
  const auto end = c.play(c.s.read_into(memory, ample));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().how, ending::peer_closed) << "in mid-message";
}

TEST(bulk, a_flood_into_memory_lets_others_go_first_and_heeds_the_deadline) {
  conversation c;
  std::atomic<bool> stop = false;
  std::jthread floods([&] {
    const std::string much = alphabet(60'000);
    while (!stop && send_all(c.peer.get(), much)) {
    }
  });
  bool others = false;
  asio::post(c.context, [&] { others = true; });
  const auto reads = [](stream& s, const bool& seen) -> asio::awaitable<bool> {
    std::array<char, 64> memory;
    for (int i = 0; i < 1000 && !seen; ++i)
      if (!co_await s.read_into(memory, ample)) break;
    co_return seen;
  };
  EXPECT_TRUE(c.play(reads(c.s, others)));
  stop = true;
  c.s.reset();
}

struct sending_files : testing::Test {
  folder here;
  const std::string path = here / "file";

  unique_fd file_with(string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
};

TEST_F(sending_files, a_part_of_a_file_arrives_and_the_files_position_stays) {
  conversation c;
  const unique_fd file = file_with("0123456789");
  ASSERT_TRUE(c.play(c.s.send_file(file.get(), 2, 5, ample)));
  EXPECT_EQ(receive(c.peer.get(), 5).bytes, "23456");
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 0);
  EXPECT_EQ(c.s.handed_over(), 5U);
  EXPECT_EQ(c.s.where(), phase::awaiting_reply);
  EXPECT_TRUE(c.play(c.s.send_file(file.get(), 0, 0, ample)));
}

TEST_F(sending_files, a_large_one_arrives_whole_at_a_slow_reader) {
  conversation c;
  const std::string bytes = alphabet(40'000'003);  // more than one turn
  const unique_fd file = file_with(bytes);
  auto got = std::async(std::launch::async, [&] {
    std::this_thread::sleep_for(moment);
    return receive(c.peer.get(), bytes.size() - 1).bytes;
  });
  ASSERT_TRUE(c.play(c.s.send_file(file.get(), 1, bytes.size() - 1, patience)));
  EXPECT_TRUE(got.get() == bytes.substr(1));
  EXPECT_EQ(c.s.handed_over(), bytes.size() - 1);
}

TEST_F(sending_files, one_that_ends_too_early_is_a_failure_of_this_side) {
  conversation c;
  const unique_fd file = file_with("0123456789");
  const auto none = c.play(c.s.send_file(file.get(), 8, 5, ample));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::local_failure);
  EXPECT_EQ(none.error().error, 0);
  EXPECT_EQ(none.error().when, phase::sending);
  EXPECT_EQ(none.error().again, retry::unknown) << "two bytes are on their way";
  EXPECT_EQ(c.s.handed_over(), 2U);
  EXPECT_EQ(c.s.how_it_ended(), nullptr);
}

TEST_F(sending_files, what_is_no_file_is_a_failure_of_this_side) {
  conversation c;
  int both[2];
  ASSERT_EQ(::pipe2(both, O_CLOEXEC), 0);
  const unique_fd reads(both[0]), writes(both[1]);
  for (const int fd : {-1, 999'999, reads.get(), writes.get()}) {
    const auto none = c.play(c.s.send_file(fd, 0, 5, ample));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().how, ending::local_failure);
    EXPECT_NE(none.error().error, 0);
    EXPECT_EQ(none.error().again, retry::safe);
  }
  EXPECT_EQ(c.s.handed_over(), 0U);
  EXPECT_TRUE(c.write("still well\n"));
}

TEST_F(sending_files, a_peer_that_is_gone_is_a_fate_and_no_signal) {
  const unique_fd file = file_with(alphabet(1000));
  struct sigaction before{};
  struct sigaction deadly{};
  deadly.sa_handler = SIG_DFL;
  ::sigaction(SIGPIPE, &deadly, &before);
  for (int i = 0; i < 2; ++i) {
    conversation c;
    if (i == 0) {
      reset(c.peer);
      static_cast<void>(c.play(c.s.ended()));
    } else {
      ::shutdown(c.s.native_handle(), SHUT_WR);
    }
    const auto none = c.play(c.s.send_file(file.get(), 0, 1000, ample));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().error, EPIPE);
    EXPECT_EQ(none.error().again, retry::safe);
    EXPECT_NE(c.s.how_it_ended(), nullptr);
  }
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_EQ(::sigismember(&blocked, SIGPIPE), 0);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_F(sending_files, the_deadline_ends_one_that_nobody_reads) {
  conversation c;
  const unique_fd file = file_with(alphabet(32 << 20));
  const auto late = c.play(c.s.send_file(file.get(), 0, 32 << 20, 20ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().how, ending::deadline_passed);
  EXPECT_EQ(late.error().again, retry::unknown);
  EXPECT_GT(c.s.handed_over(), 0U);
}

}  // namespace
}  // namespace halfopen::net
