// A server on several addresses, on Unix sockets, its threads' beginning, and handlers that are told of
// the drain.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "halfopen/server.hpp"
#include "net/local_socket.hpp"
#include "net/test_folder.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;

asio::awaitable<fate> echo_lines(stream& s) {
  for (;;) {
    if (const auto next = co_await s.next_message(1h); !next) co_return next.error();
    const auto line = co_await s.read_line(100, 1h);
    if (!line) co_return line.error();
    const std::string reply = std::string(*line) + "\n";
    if (const auto sent = co_await s.write(reply, ample); !sent) co_return sent.error();
  }
}

unique_fd call_locally(const std::string& path) {
  const auto address = local_address_of(path);
  unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval soon{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  if (!address || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address->name), address->size) != 0)
    return {};
  return fd;
}

bool is_echoed(const unique_fd& c) {
  return send_all(c.get(), "hello\n") && receive(c.get(), 6).bytes == "hello\n";
}

TEST(server, listens_on_several_addresses_and_drains_them_all) {
  const folder here;
  const std::string path = here / "socket";
  for (const unsigned threads : {1U, 2U}) {
    server s({.threads = threads,
              .heed_signals = false,
              .use_systemd = false,
              .also = {{.host = "127.0.0.1"}, {.host = "unix:" + path}}},
             echo_lines);
    ASSERT_TRUE(s.open());
    const auto all = s.all_local();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0], s.local());
    EXPECT_NE(all[0].port(), all[1].port());
    EXPECT_EQ(all[2].port(), 0);
    std::jthread runs([&] { static_cast<void>(s.run()); });
    std::vector<unique_fd> callers;
    for (int i = 0; i < 3; ++i) {
      callers.push_back(connect_to(all[0]));
      callers.push_back(connect_to(all[1]));
      callers.push_back(call_locally(path));
    }
    for (const unique_fd& c : callers) EXPECT_TRUE(is_echoed(c));
    s.stop();
    for (unique_fd& c : callers) {
      EXPECT_TRUE(receive(c.get()).ended);
      c.reset();
    }
    runs.join();
    EXPECT_EQ(s.count().served, 9U);
    EXPECT_EQ(s.count().cut_off, 0U);
    EXPECT_FALSE(std::filesystem::exists(path));
  }
}

TEST(server, a_second_address_that_is_taken_is_told_by_open) {
  const unique_fd taken = listen_here();
  server s({.also = {{.host = "127.0.0.1", .service = std::to_string(name_of(taken.get()).port())}}},
           echo_lines);
  const auto opened = s.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error, EADDRINUSE);
}

TEST(server, who_waits_at_a_unix_socket_is_served_in_the_drain) {
  const folder here;
  const std::string path = here / "socket";
  server s({.host = "unix:" + path, .threads = 2, .heed_signals = false}, echo_lines);
  ASSERT_TRUE(s.open());
  const unique_fd waits = call_locally(path);
  send_all(waits.get(), "hello\n");
  finish(waits);
  s.stop();
  ASSERT_TRUE(s.run());
  EXPECT_EQ(receive(waits.get()).bytes, "hello\n");
}

TEST(server, each_thread_is_told_that_it_begins) {
  std::mutex guard;
  std::set<unsigned> numbers;
  std::set<std::thread::id> threads;
  std::atomic<int> posted = 0;
  server s({.threads = 3,
            .heed_signals = false,
            .thread_started =
                [&](unsigned number, const asio::any_io_executor& executor) {
                  const std::scoped_lock lock(guard);
                  numbers.insert(number);
                  threads.insert(std::this_thread::get_id());
                  asio::post(executor, [&] { ++posted; });
                }},
           echo_lines);
  ASSERT_TRUE(s.open());
  s.stop();
  ASSERT_TRUE(s.run());
  EXPECT_THAT(numbers, testing::ElementsAre(0U, 1U, 2U));
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_TRUE(threads.contains(std::this_thread::get_id())) << "the first is the one that calls run()";
  EXPECT_EQ(posted, 3);
}

/// It would wait for an hour, if nobody told it.
asio::awaitable<fate> wait_elsewhere(stream& s, std::stop_token told) {
  if (const auto next = co_await s.next_message(1h); !next) co_return next.error();
  if (const auto line = co_await s.read_line(100, 1h); !line) co_return line.error();
  asio::steady_timer elsewhere(s.get_executor(), 1h);
  asio::error_code woken;
  {
    const std::stop_callback wakes(
        told, [&] { asio::post(elsewhere.get_executor(), [&elsewhere] { elsewhere.cancel(); }); });
    static_cast<void>(co_await s.write("waiting\n", ample));
    co_await elsewhere.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  static_cast<void>(co_await s.write(told.stop_requested() ? "stopped\n" : "why\n", ample));
  co_return fate{};
}

TEST(server, a_handler_that_waits_elsewhere_is_told_of_the_drain) {
  for (const unsigned threads : {1U, 2U}) {
    server s({.threads = threads, .grace = 1h, .heed_signals = false}, wait_elsewhere);
    ASSERT_TRUE(s.open());
    std::jthread runs([&] { static_cast<void>(s.run()); });
    const unique_fd c = connect_to(s.local());
    send_all(c.get(), "wait\n");
    EXPECT_EQ(receive(c.get(), 8).bytes, "waiting\n");
    s.stop();
    const received got = receive(c.get());
    EXPECT_EQ(got.bytes, "stopped\n");
    EXPECT_TRUE(got.ended);
    finish(c);
  }
}

}  // namespace
}  // namespace halfopen::net
