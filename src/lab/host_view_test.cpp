// A host as it is seen from outside: its sockets and its processes.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/test_pair.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

std::vector<socket_view> in_state(const host& h, int state) {
  std::vector<socket_view> all = h.sockets();
  std::erase_if(all, [&](const socket_view& s) { return s.state != state; });
  return all;
}

/// The only one in that state.
socket_view the_one(const host& h, int state) {
  const auto found = in_state(h, state);
  EXPECT_EQ(found.size(), 1U) << "in state " << state;
  return found.size() == 1 ? found[0] : socket_view{};
}

std::uint64_t inode_of(const unique_fd& fd) {
  struct stat about{};
  EXPECT_EQ(::fstat(fd.get(), &about), 0);
  return about.st_ino;
}

class seen_from_outside : public testing::TestWithParam<ip_version> {
 protected:
  experiment lab{{.hosts = {"client", "server"}, .ip = GetParam(), .recorder = {}}};
  host& client = lab.at("client");
  host& server = lab.at("server");
};
INSTANTIATE_TEST_SUITE_P(ip, seen_from_outside, testing::Values(ip_version::v4, ip_version::v6),
                         [](const auto& p) { return p.param == ip_version::v4 ? "v4" : "v6"; });

TEST_P(seen_from_outside, both_ends_of_a_connection) {
  connected_pair pair(lab);
  ASSERT_EQ(server.sockets().size(), 2U);
  const socket_view ours = the_one(server, TCP_ESTABLISHED);
  const socket_view theirs = the_one(client, TCP_ESTABLISHED);
  EXPECT_EQ(ours.local, (trace::endpoint{server.address(), 7}));
  EXPECT_EQ(ours.remote.address, client.address());
  EXPECT_EQ(theirs.local, ours.remote);
  EXPECT_EQ(theirs.remote, ours.local);
  EXPECT_EQ(ours.inode, inode_of(pair.accepted));
  EXPECT_EQ(theirs.inode, inode_of(pair.client));
}

TEST_P(seen_from_outside, what_is_unread_and_what_it_costs) {
  connected_pair pair(lab);
  const auto memory_before = the_one(server, TCP_ESTABLISHED).memory;
  const std::string much(10'000, 'x');
  ASSERT_EQ(::send(pair.client.get(), much.data(), much.size(), MSG_NOSIGNAL), 10'000);
  ASSERT_TRUE(lab.after(acked(client, 10'000)));
  const socket_view reader = the_one(server, TCP_ESTABLISHED);
  EXPECT_EQ(reader.unread, 10'000U);
  EXPECT_EQ(reader.unsent, 0U);
  EXPECT_GE(reader.memory, memory_before + 10'000);
}

TEST_P(seen_from_outside, what_is_unsent_and_what_it_costs) {
  connected_pair pair(lab);
  lab.lose(from(client));
  const std::string much(10'000, 'x');
  ASSERT_EQ(::send(pair.client.get(), much.data(), much.size(), MSG_NOSIGNAL), 10'000);
  lab.run_for(10ms);
  const socket_view writer = the_one(client, TCP_ESTABLISHED);
  EXPECT_EQ(writer.unsent, 10'000U);
  EXPECT_EQ(writer.unread, 0U);
  EXPECT_GE(writer.memory, 10'000U);
}

TEST_P(seen_from_outside, a_listeners_queue) {
  connected_pair pair(lab);
  EXPECT_EQ(the_one(server, TCP_LISTEN).unread, 0U);
  const unique_fd another = client.connect_to(server, 7);
  const socket_view listener = the_one(server, TCP_LISTEN);
  EXPECT_EQ(listener.unread, 1U);
  EXPECT_EQ(listener.unsent, 8U);
  EXPECT_EQ(listener.local, (trace::endpoint{server.address(), 7}));
  EXPECT_EQ(listener.remote.port, 0);
  EXPECT_EQ(listener.inode, inode_of(pair.listener));
}

TEST_P(seen_from_outside, connections_that_no_program_has) {
  connected_pair pair(lab);
  pair.client.reset();
  ASSERT_TRUE(lab.after(fin_acked(client)));
  EXPECT_EQ(the_one(server, TCP_CLOSE_WAIT).inode, inode_of(pair.accepted));
  EXPECT_EQ(the_one(client, TCP_FIN_WAIT2).inode, 0U);
  pair.accepted.reset();
  ASSERT_TRUE(lab.after(fin_acked(server)));
  const socket_view waiting = the_one(client, TCP_TIME_WAIT);
  EXPECT_EQ(waiting.remote, (trace::endpoint{server.address(), 7}));
  EXPECT_EQ(waiting.inode, 0U);
}

TEST_P(seen_from_outside, a_handshake_that_is_not_done) {
  connected_pair pair(lab);
  lab.lose(from(client) && !syn());
  const unique_fd another = make_socket(client);
  const socket_address there(server.address(), 7);
  ::connect(another.get(), there.get(), there.size());
  ASSERT_TRUE(lab.after(syn_ack()));
  const socket_view half = the_one(server, TCP_SYN_RECV);
  EXPECT_EQ(half.local, (trace::endpoint{server.address(), 7}));
  EXPECT_EQ(half.inode, 0U);
}

class host_view : public testing::Test {
 protected:
  experiment lab;
  host& client = lab.at("client");
  host& server = lab.at("server");
};

TEST_F(host_view, ipv4_on_an_ipv6_socket_is_ipv4) {
  unique_fd listener;
  server.in_network([&] { listener.reset(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
  sockaddr_in6 here{};
  here.sin6_family = AF_INET6;
  here.sin6_port = htons(7);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  const unique_fd socket = client.connect_to(server, 7);
  const socket_view ours = the_one(server, TCP_ESTABLISHED);
  EXPECT_EQ(ours.local.to_string(), "10.0.0.2:7");
  EXPECT_EQ(ours.remote.address.to_string(), "10.0.0.1");
  EXPECT_EQ(the_one(server, TCP_LISTEN).local.to_string(), "[::]:7");
}

/// A socket of the tests' own, bound to that address; a TCP one listens.
unique_fd bound(const host& h, int kind, const std::string& address, std::uint16_t port,
                bool only_v6 = false) {
  const socket_address here(trace::ip_address::parse(address).value(), port);
  unique_fd fd;
  h.in_network([&] { fd.reset(::socket(here.get()->sa_family, kind | SOCK_CLOEXEC, 0)); });
  const int on = only_v6 ? 1 : 0;
  if (here.get()->sa_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  EXPECT_EQ(::bind(fd.get(), here.get(), here.size()), 0) << address << ": " << std::strerror(errno);
  if (kind == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 8), 0);
  }
  return fd;
}

/// "tcp 10.0.0.2:7", with * for everywhere and ! for out of reach.
std::vector<std::string> listeners_of(const host& h) {
  std::vector<std::string> all;
  for (const listener& l : h.listeners())
    all.push_back((l.what == listener::protocol::tcp ? "tcp " : "udp ") + l.at.to_string() +
                  (l.everywhere ? "*" : "") + (l.reachable_from_others() ? "" : "!"));
  return all;
}

TEST_F(host_view, who_listens_where) {
  using texts = std::vector<std::string>;
  EXPECT_EQ(listeners_of(server), texts{});
  std::vector<unique_fd> open;
  for (const int kind : {SOCK_STREAM, SOCK_DGRAM}) {
    open.push_back(bound(server, kind, "127.0.0.1", 1));
    open.push_back(bound(server, kind, "127.9.0.1", 1));
    open.push_back(bound(server, kind, "10.0.0.2", 2));
    open.push_back(bound(server, kind, "0.0.0.0", 3));
    open.push_back(bound(server, kind, "::1", 4));
    open.push_back(bound(server, kind, "fd00::2", 5));
    open.push_back(bound(server, kind, "::", 6));
    open.push_back(bound(server, kind, "::", 3, true));
    open.push_back(bound(server, kind, "::ffff:10.0.0.2", 7));
    open.push_back(bound(server, kind, "::ffff:127.0.0.1", 8));
  }
  texts expected;
  for (const std::string kind : {"tcp ", "udp "})
    for (const char* where : {"0.0.0.0:3*", "10.0.0.2:2", "10.0.0.2:7", "127.0.0.1:1!", "127.0.0.1:8!",
                              "127.9.0.1:1!", "[::]:3*", "[::]:6*", "[::1]:4!", "[fd00::2]:5"})
      expected.push_back(kind + where);
  EXPECT_EQ(listeners_of(server), expected);
  EXPECT_EQ(listeners_of(client), texts{});
  crash(server);
  EXPECT_EQ(listeners_of(server), texts{});
}

TEST_F(host_view, what_is_connected_or_not_bound_does_not_listen) {
  connected_pair pair(lab);
  const unique_fd asking = bound(server, SOCK_DGRAM, "10.0.0.2", 53);
  const socket_address there(client.address(), 53);
  unique_fd unbound;
  server.in_network([&] { unbound.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
  EXPECT_EQ(listeners_of(server), (std::vector<std::string>{"tcp 10.0.0.2:7", "udp 10.0.0.2:53"}));
  ASSERT_EQ(::connect(asking.get(), there.get(), there.size()), 0);
  EXPECT_EQ(listeners_of(server), std::vector<std::string>{"tcp 10.0.0.2:7"});
  EXPECT_EQ(listeners_of(client), std::vector<std::string>{});
}

TEST_F(host_view, a_port_that_two_share_is_one_listener) {
  const int on = 1;
  const unique_fd first = make_socket(server);
  const unique_fd second = make_socket(server);
  const socket_address here(server.address(), 7);
  for (const unique_fd* fd : {&first, &second}) {
    ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    ASSERT_EQ(::bind(fd->get(), here.get(), here.size()), 0);
    ASSERT_EQ(::listen(fd->get(), 8), 0);
  }
  EXPECT_EQ(server.listeners(),
            (std::vector{listener{listener::protocol::tcp, {server.address(), 7}, false}}));
}

TEST_F(host_view, every_process_but_init) {
  EXPECT_TRUE(server.pids().empty());
  process& sh = server.start({{"sh", "-c", "sleep 1000 & echo $!; wait"}, {}, {}});
  process& cat = server.start({{"cat"}, {}, {}});
  ASSERT_TRUE(lab.until_says(sh, "\n"));
  const auto pids = server.pids();
  EXPECT_EQ(pids.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(pids));
  EXPECT_EQ(std::ranges::count(pids, sh.pid()), 1);
  EXPECT_EQ(std::ranges::count(pids, cat.pid()), 1);
  EXPECT_TRUE(client.pids().empty());
  kill(cat);
  ASSERT_TRUE(lab.until_ended(cat));
  EXPECT_EQ(server.pids().size(), 2U);
  crash(server);
  EXPECT_TRUE(server.pids().empty());
}

TEST_F(host_view, processes_in_a_namespace_of_their_own_are_the_hosts_too) {
  process& p = server.start({{"unshare", "--pid", "--fork", "sh", "-c", "echo up; sleep 1000"}, {}, {}});
  ASSERT_TRUE(lab.until_says(p, "up"));
  EXPECT_EQ(p.errors(), "");
  EXPECT_TRUE(lab.until([&] { return server.pids().size() == 3; }, 2s)) << server.pids().size();
}

TEST_F(host_view, a_programs_socket_can_be_copied) {
  process& p = server.start({{own_executable(), "acceptor"}, {}, {}});
  ASSERT_TRUE(lab.until_listening(server, 7));
  const auto inode = the_one(server, TCP_LISTEN).inode;
  unique_fd copy = server.copy_socket(inode);
  ASSERT_TRUE(copy);
  EXPECT_EQ(inode_of(copy), inode);
  int listens = 0;
  socklen_t size = sizeof listens;
  EXPECT_EQ(::getsockopt(copy.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), 0);
  EXPECT_EQ(listens, 1);
  kill(p);
  ASSERT_TRUE(lab.until_ended(p));
  EXPECT_EQ(server.listening_ports().size(), 1U);
  copy.reset();
  EXPECT_TRUE(server.listening_ports().empty());
}

TEST_F(host_view, what_no_program_of_the_host_has_is_not_copied) {
  server.start({{own_executable(), "acceptor"}, {}, {}});
  ASSERT_TRUE(lab.until_listening(server, 7));
  const unique_fd ours = client.connect_to(server, 7);
  EXPECT_FALSE(client.copy_socket(the_one(server, TCP_LISTEN).inode));
  EXPECT_FALSE(client.copy_socket(inode_of(ours)));  // the lab's own
  EXPECT_FALSE(server.copy_socket(0));
}

}  // namespace
}  // namespace halfopen::lab
