// What a host's programs find there: names, and a folder of its own.

#include "halfopen/lab/host.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/test_pair.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

class half_dead_name : public testing::TestWithParam<ip_version> {
 protected:
  experiment lab{
      {.hosts = {"client", "server"}, .ip = GetParam(), .half_dead_names = {"server"}, .recorder = {}}};
  host& client = lab.at("client");
  std::string nobody = GetParam() == ip_version::v4 ? "10.0.0.200" : "fd00::c8";

  /// The addresses of that name, as getaddrinfo(3) gives them to a program on the host.
  std::vector<std::string> addresses_of(const std::string& name, host& where) {
    const process& getent = where.start({{"getent", "ahosts", name}, {}, {}});
    EXPECT_TRUE(lab.until_ended(getent));
    std::vector<std::string> found;
    std::istringstream lines(getent.output());
    for (std::string address, kind, line; lines >> address >> kind && std::getline(lines, line);)
      if (kind == "STREAM") found.push_back(address);
    return found;
  }
};
INSTANTIATE_TEST_SUITE_P(ip, half_dead_name, testing::Values(ip_version::v4, ip_version::v6),
                         [](const auto& p) { return p.param == ip_version::v4 ? "v4" : "v6"; });

TEST_P(half_dead_name, resolves_to_nobody_first) {
  const std::vector both{nobody, lab.at("server").address().to_string()};
  EXPECT_EQ(addresses_of("server", client), both);
  EXPECT_EQ(addresses_of("server", lab.at("server")), both);
  EXPECT_EQ(addresses_of("client", client), std::vector{client.address().to_string()});
}

TEST_P(half_dead_name, nobody_does_not_answer) {
  const unique_fd fd = make_socket(client);
  const socket_address there(trace::ip_address::parse(nobody).value(), 7);
  ::connect(fd.get(), there.get(), there.size());
  ASSERT_TRUE(lab.after(from(client) && syn()));
  EXPECT_EQ(lab.current().destination.to_string(), nobody);
  EXPECT_TRUE(lab.after(from(client) && syn(), 2s));  // once more, after a second
  EXPECT_EQ(lab.packets(), 2U);
}

TEST(half_dead_names, are_names_of_hosts) {
  EXPECT_THROW(experiment({.hosts = {"client"}, .half_dead_names = {"sever"}, .recorder = {}}), error);
}

class shared_memory : public testing::Test {
 protected:
  experiment lab;
  host& server = lab.at("server");

  void SetUp() override {
    if (::access("/dev/shm", F_OK) < 0) GTEST_SKIP() << "this system has no /dev/shm";
  }
  /// What the shell script says on that host.
  std::string said(std::string_view host_name, const std::string& script,
                   std::vector<std::string> environment = {}) {
    const process& sh = lab.at(host_name).start({{"sh", "-c", script}, std::move(environment), {}});
    EXPECT_TRUE(lab.until_ended(sh));
    return sh.output() + sh.errors();
  }
};

TEST_F(shared_memory, is_the_hosts_own) {
  EXPECT_EQ(said("server", "echo secret > /dev/shm/x; cat /dev/shm/x"), "secret\n");
  EXPECT_EQ(said("client", "ls /dev/shm"), "halfopen\n");
  EXPECT_FALSE(std::filesystem::exists("/dev/shm/x"));
  EXPECT_EQ(said("server", "cat /dev/shm/x"), "secret\n");
  reboot(server);
  EXPECT_EQ(said("server", "ls /dev/shm"), "halfopen\n");
}

TEST_F(shared_memory, every_user_may_write_to_it_whatever_the_umask) {
  EXPECT_EQ(said("server", "stat -c %a /dev/shm /dev/shm/halfopen"), "1777\n1777\n");
}

/// The system's own is as good as any other, and is there.
TEST_F(shared_memory, a_root_folder_stays_as_it_is_and_what_is_written_is_on_the_hosts_disk) {
  if (::access("/etc", W_OK) < 0) GTEST_SKIP() << "the system's files are another user's";
  const auto in_root = [&](const std::string& folder, const std::string& script) {
    program what{{"/bin/sh", "-c", script}, {}, {}};
    what.root = folder;
    const process& sh = server.start(std::move(what));
    EXPECT_TRUE(lab.until_ended(sh));
    return sh.output() + sh.errors();
  };
  const std::string name = "/etc/halfopen-test-" + std::to_string(::getpid());
  EXPECT_EQ(in_root("/", "echo one > " + name + "; cat " + name + "; pwd; hostname"), "one\n/\nserver\n");
  EXPECT_FALSE(std::filesystem::exists(name));
  EXPECT_NE(in_root("/", "cat /etc/hosts").find("client"), std::string::npos);
  reboot(server);
  EXPECT_EQ(in_root("/", "cat " + name), "one\n");
  EXPECT_EQ(said("server", "ls " + name + " 2>/dev/null; grep -c overlay /proc/mounts; ls $HALFOPEN_DIR"),
            said("client", "grep -c overlay /proc/mounts"));
  reboot(server, disk::lost);
  EXPECT_EQ(in_root("/", "cat " + name + " 2>/dev/null"), "");
  EXPECT_THROW(in_root("/nonexistent", "true"), error);
}

TEST_F(shared_memory, the_disk_survives_a_reboot) {
  said("server", "echo one > $HALFOPEN_DIR/log; mkdir $HALFOPEN_DIR/db; echo 1 > /dev/shm/x");
  EXPECT_EQ(said("client", "ls $HALFOPEN_DIR"), "");  // it is the server's own
  reboot(server);
  EXPECT_EQ(said("server", "ls $HALFOPEN_DIR; cat $HALFOPEN_DIR/log; ls /dev/shm"),
            "db\nlog\none\nhalfopen\n");
  said("server", "echo two >> $HALFOPEN_DIR/log; rmdir $HALFOPEN_DIR/db");
  crash(server);
  reboot(lab.at("client"));
  reboot(server);
  EXPECT_EQ(said("server", "ls $HALFOPEN_DIR; cat $HALFOPEN_DIR/log"), "log\none\ntwo\n");
  EXPECT_EQ(said("server", "stat -c %a $HALFOPEN_DIR"), "1777\n");
  EXPECT_EQ(said("client", "ls $HALFOPEN_DIR"), "");
}

TEST_F(shared_memory, what_killed_programs_left_on_the_disk_is_there) {
  process& p = server.start(
      {{"sh", "-c", "echo $$ > $HALFOPEN_DIR/pid; exec 3> $HALFOPEN_DIR/open; echo up; cat"}, {}, {}});
  ASSERT_TRUE(lab.until_says(p, "up"));
  reboot(server);
  EXPECT_EQ(said("server", "ls $HALFOPEN_DIR"), "open\npid\n");
}

TEST_F(shared_memory, a_lost_disk_is_empty) {
  said("server", "echo one > $HALFOPEN_DIR/log");
  reboot(server, disk::lost);
  EXPECT_EQ(said("server", "ls $HALFOPEN_DIR; stat -c %a $HALFOPEN_DIR"), "1777\n");
  said("server", "echo two > $HALFOPEN_DIR/log");
  reboot(server);
  EXPECT_EQ(said("server", "cat $HALFOPEN_DIR/log"), "two\n");
}

/// Open descriptors and mounts of the lab's own process.
std::pair<std::ptrdiff_t, std::string> held() {
  std::ostringstream mounts;
  mounts << std::ifstream("/proc/self/mountinfo").rdbuf();
  return {std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}), mounts.str()};
}

TEST(disks, end_with_the_experiment) {
  if (::access("/dev/shm", F_OK) < 0) GTEST_SKIP() << "this system has no /dev/shm";
  {
    const experiment warm_up;
  }  // the cable's room stays
  const auto before = held();
  {
    experiment lab;
    host& server = lab.at("server");
    process& sh = server.start({{"sh", "-c", "echo one > $HALFOPEN_DIR/log"}, {}, {}});
    ASSERT_TRUE(lab.until_ended(sh));
    reboot(server);
    crash(lab.at("client"));
  }
  EXPECT_EQ(held(), before);
  experiment another;
  process& ls = another.at("server").start({{"sh", "-c", "ls $HALFOPEN_DIR"}, {}, {}});
  ASSERT_TRUE(another.until_ended(ls));
  EXPECT_EQ(ls.output(), "");
}

TEST_F(shared_memory, programs_are_told_of_the_private_folder) {
  const std::string ask = "echo $TMPDIR $HALFOPEN_DIR";
  const std::string folder = host::private_folder;
  ASSERT_EQ(::setenv("TMPDIR", "/somewhere", 1), 0);  // the lab's own is not theirs
  EXPECT_EQ(said("server", ask), folder + " " + folder + "\n");
  ::unsetenv("TMPDIR");
  EXPECT_EQ(said("server", ask, {"TMPDIR=/tmp"}), "/tmp " + folder + "\n");
  EXPECT_EQ(said("server", "f=$(mktemp) && echo ${f%/*}"), folder + "\n");
}

}  // namespace
}  // namespace halfopen::lab
