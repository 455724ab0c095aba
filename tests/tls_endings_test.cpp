// What the library says of the seven situations when the connection has TLS: the example's client
// and server (examples/pairs/cpp-tls) on hosts of the lab, with real packets between them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <string>

#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "tls/test_certificates.hpp"

namespace halfopen {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint16_t port = 443;

class tls_endings : public testing::Test {
 protected:
  lab::experiment world{{.hosts = {"client", "server"}, .recorder = {}}};
  lab::host& client = world.at("client");
  lab::host& server = world.at("server");

  lab::process& serve() {
    const auto& m = tls::test::made();
    lab::process& started = server.start({{TLS_SERVER, "443", m.server, m.server_key}, {}, {}});
    EXPECT_TRUE(world.until_listening(server, port));
    return started;
  }
  lab::process& call() {
    return client.start({{TLS_CLIENT, "server", "443", tls::test::made().authority}, {}, {}});
  }
  /// A connection on which a line went to and fro.
  lab::process& talking() {
    lab::process& c = call();
    exchange(c, "one\n");
    return c;
  }
  void exchange(lab::process& c, const std::string& line) {
    c.type(line);
    ASSERT_TRUE(world.until_says(c, line)) << c.errors();
    ASSERT_TRUE(world.until_quiet(50ms));  // tickets and acknowledgements
  }
  /// What it says at its end.
  std::string end_of(const lab::process& c) {
    EXPECT_TRUE(world.until_ended(c, 30s));
    EXPECT_EQ(c.ended() ? c.ended()->code : -1, 1);
    return c.errors();
  }
};

TEST_F(tls_endings, what_goes_well_ends_with_close_notify_on_both_sides) {
  lab::process& s = serve();
  lab::process& c = talking();
  c.close_input();
  ASSERT_TRUE(world.until_ended(c));
  EXPECT_EQ(c.ended()->code, 0) << c.errors();
  ASSERT_TRUE(world.until_says(s, "\n"));
  EXPECT_THAT(s.errors(), StartsWith("completed while idle: read: TLS close_notify"));
}

TEST_F(tls_endings, nobody_listens) {
  EXPECT_THAT(end_of(call()), AllOf(StartsWith("refused while connecting"), HasSubstr("retry: safe")));
}

// exit: its kernel says FIN, and nobody close_notify.
TEST_F(tls_endings, the_server_is_killed_while_nothing_is_owed) {
  lab::process& s = serve();
  lab::process& c = talking();
  lab::kill(s);
  EXPECT_THAT(end_of(c), StartsWith("completed while idle: read: end-of-file without TLS close_notify"));
}

TEST_F(tls_endings, the_server_is_killed_in_mid_reply) {
  lab::process& s = serve();
  lab::process& c = talking();
  c.type(std::string(6 << 20, 'x') + "\n");
  ASSERT_TRUE(world.before(lab::said(server, 1 << 20)));  // much of the reply is not with its kernel yet
  lab::kill(s);
  EXPECT_THAT(end_of(c),
              AllOf(StartsWith("peer_closed while receiving_reply: read: truncated"), HasSubstr("unknown")));
}

TEST_F(tls_endings, the_server_is_killed_with_a_request_unread) {
  lab::process& s = serve();
  lab::process& c = talking();
  s.hold();
  c.type("two\n");
  ASSERT_TRUE(world.after(lab::from(server) && !lab::payload()));  // the acknowledgement
  lab::kill(s);
  EXPECT_THAT(end_of(c),
              AllOf(StartsWith("peer_reset or peer_rebooted while awaiting_reply"), HasSubstr("unknown")));
}

TEST_F(tls_endings, the_server_is_killed_in_the_handshake) {
  lab::process& s = serve();
  lab::process& c = call();
  ASSERT_TRUE(world.before(lab::from(client) && lab::payload()));  // the ClientHello
  s.hold();
  world.run_for(50ms);
  lab::kill(s);
  EXPECT_THAT(end_of(c), AllOf(HasSubstr("while connecting"), HasSubstr("retry: safe")));
}

// sigpipe: the one that writes on is not killed by it.
TEST_F(tls_endings, a_reset_comes_while_nothing_is_owed) {
  serve();
  lab::process& c = talking();
  EXPECT_EQ(lab::reset_connections(server), 1U);
  EXPECT_THAT(end_of(c), StartsWith("peer_reset or peer_rebooted while idle"));
}

TEST_F(tls_endings, a_connection_is_aborted_before_accept) {
  lab::process& s = serve();
  lab::abort_before_accept(client, s, port);
  lab::process& c = talking();
  EXPECT_FALSE(s.ended());
  EXPECT_EQ(c.errors(), "");
}

// crash: silence, or a router's word.
TEST_F(tls_endings, the_servers_host_crashes_while_nothing_is_owed) {
  serve();
  lab::process& c = talking();
  lab::crash(server);
  EXPECT_THAT(end_of(c), StartsWith("peer_vanished while idle"));
}

TEST_F(tls_endings, the_servers_host_crashes_with_a_request_on_its_way) {
  serve();
  lab::process& c = talking();
  c.type("two\n");
  ASSERT_TRUE(world.before(lab::from(client) && lab::payload()));
  lab::crash(server);
  EXPECT_THAT(end_of(c),
              AllOf(StartsWith("peer_vanished while awaiting_reply"), HasSubstr("retry: unknown")));
}

TEST_F(tls_endings, the_servers_host_crashes_in_the_handshake) {
  serve();
  lab::process& c = call();
  ASSERT_TRUE(world.before(lab::from(server) && lab::payload()));  // the ServerHello
  lab::crash(server);
  // Which of the two limits is over first is the machine's affair: 3 s of silence, 5 s for all.
  EXPECT_THAT(end_of(c), AllOf(AnyOf(StartsWith("peer_vanished while connecting"),
                                     StartsWith("deadline_passed while connecting")),
                               HasSubstr("retry: safe")));
}

TEST_F(tls_endings, a_router_says_that_the_host_is_gone) {
  serve();
  lab::process& c = talking();
  c.type("two\n");
  ASSERT_TRUE(world.before(lab::from(client) && lab::payload()));
  lab::crash(server);
  lab::make_unreachable(server, lab::unreachable_kind::host);
  EXPECT_THAT(end_of(c), StartsWith("host_unreachable while awaiting_reply"));
}

TEST_F(tls_endings, the_clients_host_crashes) {
  lab::process& s = serve();
  talking();
  lab::crash(client);
  ASSERT_TRUE(world.until_says(s, "\n", 30s));
  EXPECT_THAT(s.errors(), StartsWith("peer_vanished while idle"));
}

TEST_F(tls_endings, the_servers_host_reboots) {
  serve();
  lab::process& c = talking();
  lab::crash(server);
  world.run_for(1500ms);  // a keepalive probe goes unanswered
  lab::reboot(server);
  EXPECT_THAT(end_of(c), StartsWith("peer_rebooted or peer_reset while idle"));
}

// shutdown: all is said in order.
TEST_F(tls_endings, the_server_is_told_to_stop) {
  lab::process& s = serve();
  lab::process& c = talking();
  s.signal(SIGTERM);
  EXPECT_THAT(end_of(c), StartsWith("completed while idle: read: TLS close_notify"));
  ASSERT_TRUE(world.until_ended(s));
  EXPECT_EQ(s.ended()->code, 0);
  EXPECT_THAT(s.errors(), StartsWith("shut_down while idle"));
}

// format: another protocol on that port.
TEST_F(tls_endings, somebody_does_not_speak_tls) {
  lab::process& s = serve();
  const lab::unique_fd other = client.connect_to(server, port);
  ASSERT_EQ(::send(other.get(), "one\n\n\n\n\n\n", 9, MSG_NOSIGNAL), 9);
  ASSERT_TRUE(world.until_says(s, "\n"));
  EXPECT_THAT(s.errors(), AllOf(StartsWith("malformed while connecting"), HasSubstr("retry: pointless")));
  talking();
}

}  // namespace
}  // namespace halfopen

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return halfopen::lab::enter([] { return RUN_ALL_TESTS(); });
}
