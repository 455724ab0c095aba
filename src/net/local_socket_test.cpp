// Unix sockets: the names, the file, and the same stream, listener and client over them.

#include "net/local_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

#include "halfopen/client.hpp"
#include "halfopen/connect.hpp"
#include "halfopen/listener.hpp"
#include "net/test_answering.hpp"
#include "net/test_folder.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;

TEST(local_socket, a_host_names_a_path_or_none) {
  EXPECT_EQ(local_path("unix:/run/x"), "/run/x");
  EXPECT_EQ(local_path("unix:"), "");
  EXPECT_EQ(local_path("unix"), std::nullopt);
  EXPECT_EQ(local_path("::1"), std::nullopt);
}

TEST(local_socket, a_path_has_to_fit_into_the_kernels_address) {
  EXPECT_TRUE(local_address_of(std::string(107, 'x')));
  EXPECT_FALSE(local_address_of(std::string(108, 'x')));
  EXPECT_FALSE(local_address_of(""));
  EXPECT_FALSE(local_address_of("@"));
  EXPECT_FALSE(local_address_of(std::string_view("/a\0b", 4)));
  EXPECT_EQ(local_address_of("@x")->size, offsetof(sockaddr_un, sun_path) + 2);
}

bool exists(const std::string& path) {
  struct stat file{};
  return ::lstat(path.c_str(), &file) == 0;
}

struct local : testing::Test {
  asio::io_context context{1};
  folder here;
  const std::string path = here / "socket";
  const std::string host = "unix:" + path;

  auto listen_there(int backlog = 16) {
    return listener::open(context.get_executor(), host, "", {.backlog = backlog});
  }
  auto connect_there(deadline limit = ample) { return play(context, connect(host, "", limit)); }
};

/// What a process leaves that is killed: the file of a socket on which nobody listens.
void leave_behind(const std::string& path) {
  auto made = listen_locally(path, 1);
  ASSERT_TRUE(made);
  const std::string other = path + ".kept";
  std::filesystem::create_hard_link(path, other);
  made->file.remove();
  std::filesystem::rename(other, path);
}

TEST_F(local, both_sides_speak_and_end_as_over_tcp) {
  auto door = listen_there();
  ASSERT_TRUE(door);
  auto s = connect_there();
  ASSERT_TRUE(s);
  auto there = play(context, door->accept(ample));
  ASSERT_TRUE(there);
  EXPECT_EQ(there->peer(), asio::ip::tcp::endpoint{});
  EXPECT_EQ(door->local(), asio::ip::tcp::endpoint{});
  ASSERT_TRUE(play(context, s->write("question\n", ample)));
  EXPECT_EQ(play(context, there->read_line(100, ample)).value(), "question");
  ASSERT_TRUE(play(context, there->write("answer\n", ample)));
  there->settle();
  EXPECT_EQ(play(context, s->read_line(100, ample)).value(), "answer");
  s->settle();
  EXPECT_FALSE(s->ended_by_now());
  *there = stream();
  EXPECT_EQ(play(context, s->ended()).how, ending::completed);
}

TEST_F(local, much_arrives_whole_at_a_slow_reader) {
  auto door = listen_there();
  auto s = connect_there();
  auto there = play(context, door->accept(ample));
  ASSERT_TRUE(s && there);
  const std::string much(3'000'000, 'x');
  bool written = false;
  asio::co_spawn(context, s->write(much, ample),
                 [&](const std::exception_ptr&, const stream::result<void>& r) { written = r.has_value(); });
  EXPECT_TRUE(play(context, there->read_exactly(much.size(), much.size(), ample)).value() == much);
  context.restart();
  context.run_for(moment);
  EXPECT_TRUE(written);
  EXPECT_EQ(s->handed_over(), much.size());
}

TEST_F(local, the_peers_end_is_told_without_an_rst) {
  auto door = listen_there();
  auto s = connect_there();
  auto there = play(context, door->accept(ample));
  ASSERT_TRUE(s && there);
  ASSERT_TRUE(play(context, s->write("unread\n", ample)));
  const unique_fd raw(::dup(there->native_handle()));
  auto waits = s->read_line(100, ample);
  ::shutdown(raw.get(), SHUT_RDWR);
  const auto end = play(context, std::move(waits));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().how, ending::peer_closed);
  const auto late = play(context, s->write("more\n", ample));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().how, ending::broken_pipe);
  EXPECT_EQ(late.error().error, EPIPE);
  EXPECT_EQ(late.error().or_else, std::nullopt);
}

TEST_F(local, bytes_that_the_peer_has_not_read_make_its_close_a_reset) {
  auto raw = listen_locally(path, 4);
  ASSERT_TRUE(raw);
  auto s = connect_there();
  ASSERT_TRUE(s);
  ASSERT_TRUE(play(context, s->write("unread\n", ample)));
  unique_fd there = accept_from(raw->fd.get());
  ASSERT_TRUE(there);
  there.reset();
  const auto end = play(context, s->read_line(100, ample));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().how, ending::peer_reset);
  EXPECT_EQ(end.error().error, ECONNRESET);
  EXPECT_EQ(end.error().or_else, std::nullopt) << "no host has rebooted";
}

TEST_F(local, nobody_there_is_refused_and_safe) {
  for (const int error : {ENOENT, ECONNREFUSED}) {
    if (error == ECONNREFUSED) leave_behind(path);
    const auto none = connect_there();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().how, ending::refused);
    EXPECT_EQ(none.error().error, error);
    EXPECT_EQ(none.error().again, retry::safe);
  }
  EXPECT_EQ(play(context, connect("unix:" + std::string(200, 'x'), "", ample)).error().how,
            ending::local_failure);
  EXPECT_EQ(connect_there(0ms).error().how, ending::deadline_passed);
}

TEST_F(local, a_queue_that_is_full_is_waited_for_within_the_deadline) {
  auto raw = listen_locally(path, 0);
  ASSERT_TRUE(raw);
  std::vector<stream> queued;
  for (;;) {
    auto one = connect_there(moment);
    if (!one) {
      EXPECT_EQ(one.error().how, ending::deadline_passed);
      break;
    }
    queued.push_back(std::move(*one));
    ASSERT_LT(queued.size(), 10U);
  }
  EXPECT_EQ(play_and_cancel(context, connect(host, "", deadline::never()), moment).error().how,
            ending::shut_down);
  const std::jthread accepts([&] {
    std::this_thread::sleep_for(moment);
    static_cast<void>(accept_from(raw->fd.get()));
  });
  EXPECT_TRUE(connect_there());
}

TEST_F(local, a_file_left_behind_is_replaced_and_goes_with_the_listener) {
  leave_behind(path);
  ASSERT_TRUE(exists(path));
  {
    auto door = listen_there();
    ASSERT_TRUE(door) << to_string(door.error());
    EXPECT_TRUE(connect_there());
  }
  EXPECT_FALSE(exists(path));
}

TEST_F(local, who_listens_keeps_the_address) {
  auto door = listen_there();
  ASSERT_TRUE(door);
  const auto second = listen_there();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().error, EADDRINUSE);
  EXPECT_TRUE(connect_there());
}

TEST_F(local, a_file_that_is_no_socket_is_left_alone) {
  std::ofstream(path) << "mine";
  const auto door = listen_there();
  ASSERT_FALSE(door);
  EXPECT_EQ(door.error().error, EADDRINUSE);
  std::string kept;
  std::ifstream(path) >> kept;
  EXPECT_EQ(kept, "mine");
}

TEST_F(local, the_file_of_another_listener_is_not_removed) {
  auto first = listen_there();
  ASSERT_TRUE(first);
  std::filesystem::remove(path);
  auto second = listen_there();
  ASSERT_TRUE(second);
  first->stop();
  EXPECT_TRUE(exists(path));
  second->stop();
  EXPECT_FALSE(exists(path));
}

TEST_F(local, an_abstract_name_needs_no_file) {
  const std::string name = "unix:@" + path;
  auto door = listener::open(context.get_executor(), name, "");
  ASSERT_TRUE(door);
  EXPECT_TRUE(play(context, connect(name, "", ample)));
  EXPECT_EQ(listener::open(context.get_executor(), name, "").error().error, EADDRINUSE);
}

TEST_F(local, a_pool_keeps_connections_over_it) {
  auto raw = listen_locally(path, 4);
  ASSERT_TRUE(raw);
  const std::jthread answers([&] {
    const unique_fd c = accept_from(raw->fd.get());
    for (int i = 0; i < 2 && receive(c.get(), 4).bytes == "ask\n"; ++i) send_all(c.get(), "answer\n");
  });
  client c(context.get_executor(), host, "");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(play(context, c.call(ask, ample)).value_or("?"), "answer");
  EXPECT_EQ(c.count().connected, 1U);
  c.close();
}

}  // namespace
}  // namespace halfopen::net
