// A program's connection, taken over at a byte: what its peer then gets, and that it is told like any other.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/test_pair.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

std::string received(const unique_fd& from) {
  char buffer[4096];
  const ssize_t n = ::recv(from.get(), buffer, sizeof buffer, 0);
  if (n < 0) return errno == EAGAIN ? "nothing" : std::string(::strerrorname_np(errno));
  return {buffer, static_cast<std::size_t>(n)};
}

class taken_over : public testing::TestWithParam<ip_version> {
 protected:
  experiment lab{{.hosts = {"client", "server"}, .ip = GetParam(), .recorder = {}}};
  host& client = lab.at("client");
  host& server = lab.at("server");
  connected_pair pair{lab};

  void send(const unique_fd& from, const std::string& text) const {
    ASSERT_EQ(::send(from.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  const trace::connection& connection() const { return *lab.traffic().connections().front(); }

  /// What take_hold() gives of a program's socket; this one is the test's own.
  grip copy() const {
    return {unique_fd(::dup(pair.accepted.get())), connection().responder, connection().opener};
  }

  /// The client has asked, the server has answered and closed, and 4 of its 10 bytes have arrived.
  grip answered_in_part() {
    send(pair.client, "request");
    EXPECT_TRUE(lab.after(from(server) && acked(client, 7)));
    grip held = copy();
    send(pair.accepted, "0123456789");
    pair.accepted.reset();
    EXPECT_TRUE(lab.before(from(server) && payload()));
    lab.cut_current(4);
    EXPECT_TRUE(lab.after(from(client) && acked(server, 4)));
    return held;
  }
};
INSTANTIATE_TEST_SUITE_P(ip, taken_over, testing::Values(ip_version::v4, ip_version::v6),
                         [](const auto& p) { return p.param == ip_version::v4 ? "v4" : "v6"; });

TEST_P(taken_over, it_has_said_that_much_and_then_ends) {
  unique_fd twin = take_over(server, connection(), answered_in_part(), 4);
  EXPECT_EQ(received(pair.client), "0123");
  EXPECT_EQ(received(pair.client), "nothing");
  twin.reset();
  ASSERT_TRUE(lab.after(from(server) && fin()));
  EXPECT_EQ(received(pair.client), "");
  pair.client.reset();
  ASSERT_TRUE(lab.after(from(server) && fin_acked(client)));
  EXPECT_FALSE(connection().of(trace::side::responder).rst);
  EXPECT_FALSE(connection().of(trace::side::opener).rst);
}

TEST_P(taken_over, or_resets) {
  abort(server, take_over(server, connection(), answered_in_part(), 4));
  ASSERT_TRUE(lab.after(from(server) && reset()));
  EXPECT_EQ(connection().of(trace::side::responder).rst_kind, trace::reset_kind::live_socket);
  EXPECT_EQ(received(pair.client), "0123");
  EXPECT_EQ(received(pair.client), "ECONNRESET");
  lab.run_for(50ms);
  EXPECT_FALSE(connection().of(trace::side::opener).rst);  // the RST was where it was awaited
}

TEST_P(taken_over, or_goes_on_with_other_words) {
  const unique_fd twin = take_over(server, connection(), answered_in_part(), 4);
  send(twin, "xyz");
  ASSERT_TRUE(lab.after(from(client) && acked(server, 7)));
  EXPECT_EQ(received(pair.client), "0123xyz");
  send(pair.client, "more");
  ASSERT_TRUE(lab.after(from(server) && acked(client, 11)));
  EXPECT_EQ(received(twin), "more");
}

TEST_P(taken_over, its_program_finds_it_aborted) {
  const unique_fd twin = take_over(server, connection(), copy(), 0);
  EXPECT_EQ(received(pair.accepted), "ECONNABORTED");
  lab.run_for(20ms);
  EXPECT_EQ(received(pair.client), "nothing");
}

TEST_P(taken_over, nothing_that_no_program_of_the_host_has) {
  EXPECT_FALSE(take_hold(server, connection()));
}

}  // namespace
}  // namespace halfopen::lab
