// Real sockets of this process's children on loopback. What only dead hosts show is in tests/audit.py.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "audit/descriptor.hpp"
#include "halfopen/audit.hpp"

namespace halfopen::audit {
namespace {

using namespace std::chrono_literals;

/// A child that has sockets, until the test ends.
class child {
 public:
  explicit child(const std::function<void()>& make) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid = ::fork();
    if (pid == 0) {
      make();
      (void)!::write(ready[1], "", 1);
      for (;;) ::pause();
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~child() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  [[nodiscard]] snapshot seen() const {
    scope whose;
    whose.pids = {pid};
    auto s = look(whose);
    EXPECT_TRUE(s) << s.error();
    return s.value_or(snapshot{});
  }

  pid_t pid = -1;
};

/// A listener, a connection to it and its other end.
struct pair_of_sockets {
  int door = ::socket(AF_INET, SOCK_STREAM, 0);
  int client = ::socket(AF_INET, SOCK_STREAM, 0);
  int server = -1;
  pair_of_sockets() {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    auto* address = reinterpret_cast<sockaddr*>(&here);
    if (::bind(door, address, size) != 0 || ::listen(door, 8) != 0) return;
    ::getsockname(door, address, &size);
    if (::connect(client, address, size) == 0) server = ::accept(door, nullptr, nullptr);
  }
};

void set(int fd, int level, int name, int value) {
  EXPECT_EQ(::setsockopt(fd, level, name, &value, sizeof value), 0);
}

TEST(looking, sees_who_opened_what_with_which_options) {
  const child c([] {
    const pair_of_sockets p;
    set(p.client, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(p.client, IPPROTO_TCP, TCP_KEEPIDLE, 33);
    set(p.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
    (void)!::write(p.client, "hello", 5);
  });
  const snapshot s = c.seen();
  ASSERT_EQ(s.sockets.size(), 3u);
  const auto client = std::ranges::find(s.sockets, side::this_host, &tcp_socket::opened_by);
  const auto server = std::ranges::find(s.sockets, side::peer, &tcp_socket::opened_by);
  ASSERT_NE(client, s.sockets.end());
  ASSERT_NE(server, s.sockets.end());
  ASSERT_TRUE(client->options && server->options);
  EXPECT_EQ(client->options->live, (liveness{true, 33s, 75s, 9, 5000ms}));
  EXPECT_FALSE(server->options->live.keepalive);
  EXPECT_EQ(server->receive_queue, 5u);
  EXPECT_EQ(client->remote, server->local);
  EXPECT_TRUE(client->stays_on_host());
  EXPECT_EQ(s.processes[client->process].pid, c.pid);
  EXPECT_TRUE(s.networks.at(client->network).listed);
  EXPECT_TRUE(s.not_seen.empty());
}

TEST(looking, finds_a_descriptor_whose_connection_is_gone) {
  const child c([] {
    const pair_of_sockets p;
    const linger now{1, 0};
    ::setsockopt(p.server, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(p.server);  // a reset
    const int never_connected = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_GE(never_connected, 0);
  });
  const snapshot s = c.seen();
  const auto gone = std::ranges::find(s.sockets, socket_state::close, &tcp_socket::state);
  ASSERT_NE(gone, s.sockets.end());
  EXPECT_TRUE(gone->error_waits);
  EXPECT_EQ(gone->remote.address.to_string(), "127.0.0.1");
  EXPECT_EQ(std::ranges::count(s.sockets, socket_state::close, &tcp_socket::state), 1);
  EXPECT_GT(gone->gone_for, 0ms);
}

TEST(looking, at_a_process_that_is_not_there_says_so) {
  scope whose;
  whose.names = {"no such name"};
  ASSERT_FALSE(look(whose));
  whose = {};
  whose.container = "no such container";
  ASSERT_FALSE(look(whose));
  whose = {};
  whose.network = "no such network";
  ASSERT_FALSE(look(whose));
}

TEST(looking, at_ports_leaves_the_others_out) {
  const child c([] {
    static const pair_of_sockets a;
    static const pair_of_sockets b;
  });
  scope whose;
  whose.pids = {c.pid};
  const snapshot all = c.seen();
  ASSERT_EQ(all.sockets.size(), 6u);
  const auto door = std::ranges::find(all.sockets, socket_state::listen, &tcp_socket::state);
  whose.ports = {door->local.port};
  EXPECT_EQ(look(whose)->sockets.size(), 3u);
}

TEST(descriptors, of_other_kinds_are_no_tcp_sockets) {
  const unique_fd udp(::socket(AF_INET, SOCK_DGRAM, 0));
  const unique_fd local(::socket(AF_UNIX, SOCK_STREAM, 0));
  const unique_fd fresh(::socket(AF_INET6, SOCK_STREAM, 0));
  for (const unique_fd* fd : {&udp, &local, &fresh}) EXPECT_FALSE(socket_of_descriptor(fd->get()));
}

TEST(descriptors, tell_all_by_themselves) {
  const pair_of_sockets p;
  (void)!::write(p.server, "hello", 5);
  const auto s = socket_of_descriptor(p.client);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->state, socket_state::established);
  EXPECT_EQ(s->receive_queue, 5u);
  const auto door = socket_of_descriptor(p.door);
  ASSERT_TRUE(door);
  EXPECT_EQ(door->state, socket_state::listen);
  EXPECT_EQ(door->send_queue, 8u);
  for (const int fd : {p.door, p.client, p.server}) ::close(fd);
}

}  // namespace
}  // namespace halfopen::audit
