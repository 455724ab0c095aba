#include "audit/proc.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "halfopen/unique_fd.hpp"

namespace halfopen::audit {
namespace {

const std::string id(64, 'a');

TEST(container, is_named_by_its_control_group) {
  EXPECT_EQ(container_of("0::/system.slice/docker-" + id + ".scope\n"), id);
  EXPECT_EQ(container_of("12:pids:/docker/" + id + "\n"), id);
  EXPECT_EQ(container_of("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope"), id);
  EXPECT_EQ(container_of("0::/machine.slice/libpod-" + id + ".scope/container"), id);
  EXPECT_EQ(container_of("0::/lxc.payload.web/init.scope"), "web");
  EXPECT_EQ(container_of("0::/lxc/web/init.scope"), "web");
  EXPECT_EQ(container_of("0::/machine.slice/machine-web.scope/payload"), "web");
  EXPECT_EQ(container_of("1:name=systemd:/\n0::/docker/" + id + "\n"), id);
}

TEST(container, none_is_none) {
  EXPECT_EQ(container_of("0::/user.slice/user-1000.slice/session-4.scope\n"), "");
  EXPECT_EQ(container_of(""), "");
  EXPECT_EQ(container_of("rubbish\n:\n::"), "");
  EXPECT_EQ(container_of("0::/lxc"), "");
  EXPECT_EQ(container_of("0::/machine-.scope"), "");
}

TEST(netstat, finds_a_number_by_its_name) {
  const std::string text =
      "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 17 18\nIpExt: A\nIpExt: 5\n";
  EXPECT_EQ(netstat(text, "TcpExt:", "ListenOverflows"), 17u);
  EXPECT_EQ(netstat(text, "IpExt:", "A"), 5u);
  EXPECT_EQ(netstat(text, "TcpExt:", "None"), std::nullopt);
  EXPECT_EQ(netstat(text, "UdpExt:", "None"), std::nullopt);
  EXPECT_EQ(netstat("TcpExt: A\n", "TcpExt:", "A"), std::nullopt);
  EXPECT_EQ(netstat("TcpExt: A\nTcpExt: x\n", "TcpExt:", "A"), std::nullopt);
  EXPECT_EQ(netstat("TcpExt: A B\nTcpExt: 1\n", "TcpExt:", "B"), std::nullopt);
}

TEST(processes, this_one_is_there) {
  const auto all = all_processes();
  const auto self = std::ranges::find(all, ::getpid(), &process::pid);
  ASSERT_NE(self, all.end());
  EXPECT_EQ(self->user, ::geteuid());
  EXPECT_NE(self->network, 0u);
  process described = *self;
  describe(described);
  EXPECT_EQ(described.name, "audit_test");
  EXPECT_FALSE(is_in_user_namespace_of(-1, ::geteuid()));
  EXPECT_FALSE(is_in_user_namespace_of(::getpid(), 12345));
}

TEST(descriptors, sockets_are_found) {
  const unique_fd made(::socket(AF_INET, SOCK_STREAM, 0));
  const auto all = open_sockets(::getpid());
  ASSERT_TRUE(all);
  const auto found = std::ranges::find(*all, made.get(), &open_socket::descriptor);
  ASSERT_NE(found, all->end());
  EXPECT_NE(found->inode, 0u);
  EXPECT_FALSE(open_sockets(-1));
}

}  // namespace
}  // namespace halfopen::audit
