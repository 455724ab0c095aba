#include "control/state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <nlohmann/json.hpp>

namespace halfopen::control {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

end_state established() {
  end_state e;
  e.tcp_state = TCP_ESTABLISHED;
  e.lengths = hang{.idle = std::nullopt, .in_flight = 924'600ms, .connecting = 131'000ms};
  e.options = liveness{};
  return e;
}

connection_state connection() {
  connection_state c;
  c.host = {"app", "db"};
  c.address = {"10.0.0.2:41000", "10.0.0.1:6379"};
  c.end = {established(), established()};
  return c;
}

system_state a_shop() {
  system_state s;
  s.hosts = {{.name = "db",
              .address = "10.0.0.1",
              .program = program_state{.running = true, .since = 5s},
              .listens = {"tcp 0.0.0.0:6379"}},
             {.name = "app", .address = "10.0.0.2", .up = false}};
  s.links = {{.which = {"app", "db"}, .connections = 1}};
  s.connections = {connection()};
  s.published = {{"127.0.0.1:3000", "app", 3000, 0}};
  s.up_for = 90s;
  s.packets = 42;
  return s;
}

std::string text_of(const system_state& s) {
  return to_text(to_json_value(s), {.width = 200}).value_or("no text");
}

TEST(would_hang_for, is_decided_by_what_the_socket_waits_for) {
  end_state e = established();
  ASSERT_TRUE(would_hang_for(e));
  EXPECT_FALSE(*would_hang_for(e));
  e.waits_for = judge::waiting::for_acknowledgement;
  EXPECT_EQ(**would_hang_for(e), 924'600ms);
  e.waits_for = judge::waiting::for_connection;
  EXPECT_EQ(**would_hang_for(e), 131'000ms);
  e.lengths.reset();
  EXPECT_FALSE(would_hang_for(e));
}

TEST(half_open, is_an_established_end_without_the_other) {
  connection_state c = connection();
  EXPECT_FALSE(c.is_half_open());
  c.end[1].reset();
  EXPECT_TRUE(c.is_half_open());
  c.end[0]->tcp_state = TCP_SYN_SENT;  // the other one never had it
  EXPECT_FALSE(c.is_half_open());
  c.end[0].reset();
  c.end[1] = established();
  EXPECT_TRUE(c.is_half_open());
}

TEST(state, says_for_ever_by_null) {
  const json state = to_json_value(a_shop());
  const json& end = state.at("connections").at(0).at("ends").at(0);
  EXPECT_TRUE(end.at("would_hang").at("now_ms").is_null());
  EXPECT_EQ(end.at("would_hang").at("in_flight_ms"), 924'600);
  EXPECT_EQ(end.at("options").at("keepalive"), false);
  system_state unknown = a_shop();
  unknown.connections[0].end[0]->lengths.reset();
  unknown.connections[0].end[0]->options.reset();
  const json other = to_json_value(unknown).at("connections").at(0).at("ends").at(0);
  EXPECT_TRUE(other.at("would_hang").is_null());
  EXPECT_FALSE(other.contains("options"));
  EXPECT_THAT(text_of(unknown), HasSubstr("not known"));
  unknown.connections[0].end[0]->owned = false;
  EXPECT_THAT(text_of(unknown), HasSubstr("its program has closed it"));
}

TEST(state, is_a_table) {
  const std::string text = text_of(a_shop());
  EXPECT_THAT(text, HasSubstr("runs, for 5.0 s"));
  EXPECT_THAT(text, HasSubstr("the host is down"));
  EXPECT_THAT(text, HasSubstr("10.0.0.2:41000 -> 10.0.0.1:6379"));
  EXPECT_THAT(text, HasSubstr("for ever idle, 15 min 25 s in flight"));
  EXPECT_THAT(text, HasSubstr("no keepalive"));
  EXPECT_THAT(text, HasSubstr("published: 127.0.0.1:3000 -> app:3000"));
}

TEST(state, tells_what_is_wrong) {
  const auto link = [](auto change) {
    system_state s = a_shop();
    change(s.links[0]);
    return text_of(s);
  };
  EXPECT_THAT(link([](auto&) {}), HasSubstr("whole"));
  EXPECT_THAT(link([](auto& l) { l.cut = l.unreachable = true; }), HasSubstr("a router says so"));
  EXPECT_THAT(link([](auto& l) { l.delay = 200ms; }), HasSubstr("200 ms longer"));
  EXPECT_THAT(link([](auto& l) { l.lost_share = 0.05; }), HasSubstr("5% of the packets"));
  EXPECT_THAT(link([](auto& l) { l.cut_after_bytes = 60; }), HasSubstr("after 60 more bytes"));
  const auto way = [](obstruction o) {
    system_state s = a_shop();
    s.connections[0].in_the_way = o;
    return text_of(s);
  };
  EXPECT_THAT(way(obstruction::forgotten), HasSubstr("half-open"));
  EXPECT_THAT(way(obstruction::host_down), HasSubstr("the other host is down"));
  EXPECT_THAT(way(obstruction::link_cut), HasSubstr("the link is cut"));
  EXPECT_THAT(way(obstruction::frozen), HasSubstr("frozen"));
  system_state s = a_shop();
  s.hosts[0].program = program_state{.running = false, .since = 2s, .code = 0, .signal = 9};
  EXPECT_THAT(text_of(s), HasSubstr("killed by SIGKILL"));
  s.hosts[0].program.reset();
  EXPECT_THAT(text_of(s), HasSubstr("no program"));
  s.hosts[0].program = program_state{.running = true};
  s.hosts[0].frozen = true;
  s.hosts[0].name_moved_to = "db-spare";
  s.hosts[0].listens.clear();
  EXPECT_THAT(text_of(s), HasSubstr("its name gives db-spare"));
}

TEST(state, of_another_version_is_no_table) {
  EXPECT_FALSE(to_text(json::object(), {}));
  EXPECT_FALSE(to_text(json(7), {}));
  json state = to_json_value(a_shop());
  state["hosts"][0]["up"] = "yes";
  EXPECT_FALSE(to_text(state, {}));
}

}  // namespace
}  // namespace halfopen::control
