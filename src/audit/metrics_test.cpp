#include "audit/metrics.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include "audit/metrics_server.hpp"
#include "audit/test_sockets.hpp"

namespace halfopen::audit {
namespace {

using namespace test;
using testing::HasSubstr;

TEST(metrics, count_by_process_and_risk) {
  snapshot m = machine();
  m.processes[0].name = "a\"\\\n";
  m.sockets = {open_connection(), open_connection(), with_keepalive(4s, 2s, 3, 9800ms), retransmitting(3),
               with_keepalive(4s, 2s, 3)};
  totals t;
  event e;
  e.what = event::kind::ended;
  e.ended.how = ending::peer_vanished;
  e.ended.by = closer::timer;
  t.take(e);
  e.what = event::kind::opened;
  t.take(e);
  const std::string text = metrics_text(m, groups_of(m), t, 30s);
  EXPECT_THAT(text, HasSubstr(R"(halfopen_connections{process="a\"\\ ",risk="never"} 3)"));
  EXPECT_THAT(text, HasSubstr(R"(risk="within_limit"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(risk="late"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(what="retransmitting"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(halfopen_ended_total{how="peer_vanished",by="timer"} 1)"));
  EXPECT_THAT(text, HasSubstr("halfopen_opened_total 1\n"));
}

TEST(metrics, answers_are_http) {
  const auto text = [] { return std::string("x 1\n"); };
  EXPECT_EQ(answer_to("GET /metrics HTTP/1.1\r\nHost: a\r\n", text), "") << "not whole yet";
  EXPECT_THAT(answer_to("GET /metrics HTTP/1.1\r\n\r\n", text), HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\n\r\n", text), HasSubstr("404"));
  EXPECT_THAT(answer_to("POST /metrics HTTP/1.1\r\n\r\n", text), HasSubstr("405"));
  EXPECT_THAT(answer_to("\n\n", text), HasSubstr("405"));
}

TEST(metrics, are_served_on_loopback_unless_told_otherwise) {
  auto server = metrics_server::at(":0");
  ASSERT_TRUE(server) << server.error();
  const unique_fd client(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(server->port());
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  ASSERT_EQ(::send(client.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string got;
  for (bool over = false; !over;) {
    server->serve([] { return std::string(1 << 20, 'x'); });
    char some[65536];
    ssize_t n = 0;
    while ((n = ::recv(client.get(), some, sizeof some, MSG_DONTWAIT)) > 0)
      got.append(some, static_cast<std::size_t>(n));
    over = n == 0;
  }
  EXPECT_THAT(got, testing::StartsWith("HTTP/1.1 200 OK"));
  EXPECT_GT(got.size(), 1U << 20);
  EXPECT_FALSE(metrics_server::at("nonsense"));
  EXPECT_FALSE(metrics_server::at("1.2.3.4.5:6"));
  EXPECT_FALSE(metrics_server::at(":99999"));
  EXPECT_FALSE(metrics_server::at(":"));
}

}  // namespace
}  // namespace halfopen::audit
