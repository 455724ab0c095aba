#include "audit/cures.hpp"

#include <gmock/gmock.h>

#include "audit/report.hpp"
#include "audit/services.hpp"
#include "audit/test_sockets.hpp"
#include "audit/words.hpp"

namespace halfopen::audit {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::IsEmpty;

group only(const tcp_socket& s) {
  snapshot m = machine();
  m.sockets = {s};
  const auto all = groups_of(m);
  return all.empty() ? group{} : all.front();
}

TEST(cures, options_and_the_drivers_word_for_them) {
  const auto all = cures_of(only(open_connection()), 10s);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0], HasSubstr("TCP_KEEPIDLE=4, TCP_KEEPINTVL=2, TCP_KEEPCNT=3 and TCP_USER_TIMEOUT=9800"));
  EXPECT_THAT(all[0], HasSubstr("keepalives_idle"));
  tcp_socket server = open_connection();
  server.opened_by = side::peer;
  server.local.port = 5432;
  server.remote.port = 40000;
  EXPECT_THAT(cures_of(only(server), 10s)[0], HasSubstr("tcp_keepalives_idle"));
  tcp_socket other = open_connection();
  other.remote.port = 1;
  EXPECT_THAT(cures_of(only(other), 10s)[0], testing::Not(HasSubstr("words of")));
}

TEST(cures, none_where_nothing_is_wrong) {
  EXPECT_THAT(cures_of(only(with_keepalive(4s, 2s, 3, 9800ms)), 30s), IsEmpty());
  tcp_socket unknown = open_connection();
  unknown.options.reset();
  EXPECT_THAT(cures_of(only(unknown), 30s), IsEmpty());
  tcp_socket home = open_connection();
  home.remote = at("127.0.0.1", 5432);
  EXPECT_THAT(cures_of(only(home), 30s), IsEmpty());
}

TEST(cures, of_a_connect) {
  tcp_socket s = open_connection();
  s.state = socket_state::syn_sent;
  s.running = timer::retransmission;
  EXPECT_THAT(cures_of(only(s), 30s)[0], HasSubstr("Give connect a deadline"));
}

TEST(cures, a_fault_has_its_own_first) {
  EXPECT_THAT(cures_of(only(retransmitting(3)), 30s)[0], HasSubstr("Bound the wait"));
}

TEST(services, are_found_by_their_port) {
  ASSERT_NE(service_at(6379), nullptr);
  EXPECT_EQ(service_at(6379)->name, "Redis");
  EXPECT_EQ(service_at(1), nullptr);
  EXPECT_EQ(service_at(65535), nullptr);
}

TEST(words, of_lengths) {
  EXPECT_EQ(in_words(350ms), "350 ms");
  EXPECT_EQ(in_words(12s), "12.0 s");
  EXPECT_EQ(in_words(924'600ms), "15 min 25 s");
  EXPECT_EQ(in_words(milliseconds(7'875'000)), "2 h 11 min");
  EXPECT_EQ(in_words(std::chrono::hours(72)), "3 days");
  EXPECT_EQ(in_words(notice{}), "not known");
  EXPECT_EQ(in_words(notice{rule::nothing, {}, {}}), "never");
}

TEST(words, every_wrong_is_explained) {
  for (std::size_t i = 0; i < wrongs; ++i) {
    const explanation x = explain(static_cast<wrong>(i));
    for (const std::string_view text : {x.name, x.means, x.causes, x.advice}) EXPECT_FALSE(text.empty()) << i;
    fault f;
    f.what = static_cast<wrong>(i);
    EXPECT_FALSE(in_words(f, 3).empty());
  }
  for (int r = 0; r <= static_cast<int>(rule::not_known); ++r)
    EXPECT_FALSE(option_of(static_cast<rule>(r)).empty());
  for (const obstacle o : {obstacle::descriptors, obstacle::options, obstacle::other_network})
    EXPECT_FALSE(in_words(o).empty());
}

TEST(table, says_what_is_wrong_of_whom) {
  snapshot m = machine();
  m.sockets = {retransmitting(3), open_connection(), open_connection(), listener()};
  m.sockets[3].dropped = 2;
  m.not_seen.push_back({7, "evil\x1b[2J", obstacle::options});
  const std::string text = table_of(m, groups_of(m), {}, {.width = 200});
  for (const char* words : {"app 4711", "2 to 10.0.0.2:5432 (PostgreSQL)", "sent again 3 times", "never",
                            "15 min", "2 connections dropped since it listens", "Not seen of 1 process",
                            "3 connections of 1 process: 3 would never notice"})
    EXPECT_THAT(text, HasSubstr(words));
  EXPECT_THAT(text, testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(table_of(m, groups_of(m), {.top = 1}, {.width = 200}), HasSubstr("the worst 1 of 3 lines"));
}

TEST(json, a_line_each) {
  snapshot m = machine();
  m.processes[0].name = "evil\xff\"\n";
  m.sockets = {retransmitting(3), open_connection(), listener()};
  std::vector<std::string> lines;
  each_json_line(m, groups_of(m), 30s, [&](const std::string& l) { lines.push_back(l); });
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr(R"("what":"retransmitting")"));
  EXPECT_THAT(lines[1], HasSubstr(R"("within":"no")"));
  EXPECT_THAT(lines[2], HasSubstr(R"("kind":"sum")"));
  for (const std::string& l : lines) EXPECT_EQ(l.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace halfopen::audit
