// The lab against the kernel: each test makes hosts and breaks something.

#include "halfopen/lab/enter.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/socket_address.hpp"
#include "lab/test_pair.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

class both_versions : public testing::TestWithParam<ip_version> {
 protected:
  experiment lab{{.hosts = {"client", "server"}, .ip = GetParam(), .recorder = {}}};
  host& client = lab.at("client");
  host& server = lab.at("server");
};
INSTANTIATE_TEST_SUITE_P(ip, both_versions, testing::Values(ip_version::v4, ip_version::v6),
                         [](const auto& p) { return p.param == ip_version::v4 ? "v4" : "v6"; });

TEST_P(both_versions, bytes_cross_the_cable) {
  connected_pair pair(lab);
  ASSERT_EQ(::send(pair.client.get(), "hello", 5, MSG_NOSIGNAL), 5);
  ASSERT_TRUE(lab.after(acked(client, 5)));
  char buffer[8];
  EXPECT_EQ(::recv(pair.accepted.get(), buffer, sizeof buffer, 0), 5);
  EXPECT_EQ(lab.lost_to_capture(), 0U);
}

TEST_P(both_versions, nothing_but_the_connection_is_on_the_wire) {
  connected_pair pair(lab);
  lab.run_for(300ms);
  EXPECT_EQ(lab.packets(), 3U);  // SYN, SYN+ACK, ACK: no ARP, no neighbour discovery
}

TEST_P(both_versions, a_crashed_host_says_nothing) {
  connected_pair pair(lab);
  crash(server);
  EXPECT_FALSE(lab.after(from(server), 200ms));
  ASSERT_EQ(::send(pair.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(lab.after(retransmission(client)));
  EXPECT_FALSE(server.is_up());
}

TEST_P(both_versions, a_reborn_host_answers_with_a_bare_reset) {
  connected_pair pair(lab);
  reboot(server);
  ASSERT_EQ(::send(pair.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  ASSERT_TRUE(lab.after(from(server) && reset()));
  EXPECT_FALSE(lab.current().tcp.has(trace::ack));
  char byte;
  EXPECT_EQ(::recv(pair.client.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(both_versions, the_router_ends_a_connect_at_once) {
  for (const auto& [kind, expected] :
       {std::pair{unreachable_kind::host, EHOSTUNREACH}, std::pair{unreachable_kind::network, ENETUNREACH}}) {
    make_unreachable(server, kind);
    const unique_fd fd = make_socket(client);
    const socket_address there(server.address(), 7);
    ASSERT_EQ(::connect(fd.get(), there.get(), there.size()), -1);
    ASSERT_TRUE(lab.after(icmp()));
    int why = 0;
    socklen_t size = sizeof why;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &why, &size);
    EXPECT_EQ(why, expected);
  }
}

TEST_P(both_versions, aborting_sends_a_reset_with_ack) {
  connected_pair pair(lab);
  abort(client, std::move(pair.client));
  ASSERT_TRUE(lab.after(from(client) && reset()));
  EXPECT_TRUE(lab.current().tcp.has(trace::ack));
}

TEST_P(both_versions, a_packet_can_be_held_and_another_overtakes_it) {
  connected_pair pair(lab);
  lab.hold(fin());
  pair.accepted.reset();
  ASSERT_TRUE(lab.after(fin()));
  EXPECT_FALSE(lab.after(fin_acked(server), 50ms));
  lab.release();
  EXPECT_TRUE(lab.after(fin_acked(server)));
}

TEST_P(both_versions, dropping_one_packet_makes_it_come_again) {
  connected_pair pair(lab);
  ASSERT_EQ(::send(pair.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  ASSERT_TRUE(lab.before(from(client) && payload()));
  lab.drop_current();
  EXPECT_TRUE(lab.after(retransmission(client)));
  EXPECT_TRUE(lab.after(acked(client, 1)));
}

TEST_P(both_versions, a_lambda_is_a_match) {
  connected_pair pair(lab);
  ASSERT_EQ(::send(pair.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(lab.before(payload() && [](const arrival& a) { return a.packet->tcp.length == 1; }));
}

TEST_P(both_versions, time_limits_hold_while_packets_keep_coming) {
  connected_pair pair(lab);
  process& flood = client.start({{own_executable(), "flood", server.address().to_string()}, {}, {}});
  ASSERT_TRUE(lab.until_says(flood, "up"));
  const auto began = std::chrono::steady_clock::now();
  lab.run_for(50ms);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
}

TEST_P(both_versions, listening_ports_are_found) {
  EXPECT_TRUE(server.listening_ports().empty());
  connected_pair pair(lab);
  EXPECT_EQ(server.listening_ports(), std::vector<std::uint16_t>{7});
  EXPECT_TRUE(client.listening_ports().empty());
}

class lab_programs : public testing::Test {
 protected:
  experiment lab;
  host& server = lab.at("server");
};

TEST_F(lab_programs, a_program_reads_writes_and_ends) {
  process& cat = server.start({{"cat"}, {}, {}});
  cat.type("one line\n");
  EXPECT_TRUE(lab.until_says(cat, "one line"));
  cat.close_input();
  ASSERT_TRUE(lab.until_ended(cat));
  EXPECT_EQ(cat.ended()->code, 0);
}

TEST_F(lab_programs, names_resolve_and_the_host_has_its_own) {
  process& sh = server.start({{"sh", "-c", "getent hosts client; hostname; echo $NAME"}, {"NAME=value"}, {}});
  ASSERT_TRUE(lab.until_ended(sh));
  EXPECT_TRUE(sh.output().starts_with("10.0.0.1")) << sh.output() << sh.errors();
  EXPECT_TRUE(sh.output().ends_with("server\nvalue\n")) << sh.output();
}

TEST_F(lab_programs, a_missing_program_is_a_clear_error) {
  try {
    server.start({{"/no/such/program"}, {}, {}});
    FAIL() << "it started";
  } catch (const error& e) {
    EXPECT_TRUE(std::string(e.what()).contains("/no/such/program")) << e.what();
    EXPECT_TRUE(std::string(e.what()).contains("No such file")) << e.what();
  }
}

TEST_F(lab_programs, the_signal_that_ended_it_is_known) {
  process& cat = server.start({{"cat"}, {}, {}});
  kill(cat);
  ASSERT_TRUE(lab.until_ended(cat));
  EXPECT_EQ(cat.ended()->signal, SIGKILL);
}

TEST_F(lab_programs, a_megabyte_can_be_typed) {
  process& cat = server.start({{"wc", "-c"}, {}, {}});
  cat.type(std::string(1'000'000, 'x'));
  cat.close_input();
  ASSERT_TRUE(lab.until_ended(cat));
  EXPECT_EQ(cat.output(), "1000000\n");
}

TEST_F(lab_programs, shutdown_terms_waits_and_kills) {
  process& polite = server.start(
      {{"sh", "-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"}, {}, {}});
  process& deaf = server.start({{"sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"}, {}, {}});
  ASSERT_TRUE(lab.until_says(polite, "up"));
  ASSERT_TRUE(lab.until_says(deaf, "up"));
  EXPECT_GE(shut_down(server, 300ms), 1);  // the deaf one, and perhaps its sleep
  EXPECT_EQ(polite.output(), "up\nbye\n");
  EXPECT_EQ(polite.ended()->code, 0);
  EXPECT_EQ(deaf.ended()->signal, SIGKILL);
  EXPECT_TRUE(server.is_empty());
}

TEST_F(lab_programs, shutdown_counts_daemons_that_had_to_be_killed) {
  process& sh = server.start({{"sh", "-c", "(trap '' TERM; echo up; exec sleep 1000) & wait"}, {}, {}});
  ASSERT_TRUE(lab.until_says(sh, "up"));
  EXPECT_EQ(shut_down(server, 300ms), 1);
  EXPECT_EQ(sh.ended()->signal, SIGTERM);
}

TEST_F(lab_programs, a_crash_ends_daemons_too) {
  process& sh = server.start({{"sh", "-c", "sleep 1000 & sleep 1000 & echo up; wait"}, {}, {}});
  ASSERT_TRUE(lab.until_says(sh, "up"));
  crash(server);
  EXPECT_TRUE(sh.ended().has_value());
  EXPECT_TRUE(server.is_empty());
}

TEST_F(lab_programs, sysctls_are_the_hosts_own_and_survive_a_reboot) {
  server.set_sysctl("net.ipv4.tcp_retries2", "3");
  EXPECT_EQ(server.sysctl("net.ipv4.tcp_retries2"), "3");
  EXPECT_NE(lab.at("client").sysctl("net.ipv4.tcp_retries2"), "3");
  reboot(server);
  EXPECT_EQ(server.sysctl("net.ipv4.tcp_retries2"), "3");
}

TEST_F(lab_programs, an_unknown_sysctl_is_a_clear_error) {
  EXPECT_THROW(server.set_sysctl("net.ipv4.no_such_thing", "1"), error);
  reboot(server);  // and is not tried again
}

TEST(lab_enter, works_where_sigchld_is_ignored) {
  ::signal(SIGCHLD, SIG_IGN);  // inherited from whoever started us
  const int code = enter([] { return 7; });
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(code, 7);
}

TEST(lab_enter, another_child_is_left_to_its_parent) {
  const pid_t other = ::fork();
  if (other == 0) ::_exit(5);
  EXPECT_EQ(enter([] { return 0; }), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 5);
}

TEST_F(lab_programs, one_experiment_at_a_time) {
  EXPECT_THROW(experiment(), error);
}

TEST(lab_enter, the_bodys_result_comes_back) {
  EXPECT_EQ(enter([] { return 7; }), 7);
  EXPECT_EQ(enter([] { return std::raise(SIGKILL); }), 128 + SIGKILL);
}

}  // namespace
}  // namespace halfopen::lab
