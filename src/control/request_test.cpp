#include "control/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "control/job.hpp"
#include "control/publication.hpp"

namespace halfopen::control {
namespace {

using testing::HasSubstr;
using kind = refusal::kind;

const known_names shop{{"db", "app", "job-queue", "user"}, {{"app", "db"}, {"app", "job-queue"}}};

std::expected<deed, refusal> read(const std::string& text, const known_names& known = shop) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string w; in >> w;) words.push_back(w);
  return read_deed(words, known);
}

TEST(deeds, of_hosts) {
  for (const char* text : {"kill db", "crash db", "start db", "stop app", "freeze user", "thaw db",
                           "reboot job-queue", "move db", "move db back"}) {
    const auto d = read(text);
    ASSERT_TRUE(d) << text << ": " << d.error().says;
    EXPECT_FALSE(is_of_a_link(d->what));
    EXPECT_EQ(in_words(*d), text);
  }
  EXPECT_EQ(read("crash db")->what, action::crash);
  EXPECT_EQ(read("crash db")->host, "db");
  EXPECT_TRUE(read("move db back")->back);
}

TEST(deeds, of_links) {
  for (const char* text : {"cut app-db", "heal app-db", "unreachable db-app", "reset app-db", "forget app-db",
                           "forget app-db with reset", "delay app-db 200ms", "lose app-db 5%", "cut user-app",
                           "cut app-db after 100 bytes from db"}) {
    const auto d = read(text);
    ASSERT_TRUE(d) << text << ": " << d.error().says;
    EXPECT_TRUE(is_of_a_link(d->what));
    EXPECT_EQ(in_words(*d), text);
  }
  EXPECT_EQ(read("cut app-job-queue")->link, (judge::link{"app", "job-queue"}));
  EXPECT_EQ(read("cut job-queue-app")->link, (judge::link{"job-queue", "app"}));
  const auto d = read("cut app-db after 1 byte from app");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->after_bytes, 1U);
  EXPECT_EQ(d->after_from, "app");
}

TEST(deeds, a_link_that_may_be_two_is_the_one_that_is_needed_or_none) {
  const known_names odd{{"a", "b-c", "a-b", "c"}, {}};
  EXPECT_EQ(read("cut a-b-c", odd).error().why, kind::unknown_link);
  EXPECT_THAT(read("cut a-b-c", odd).error().says, HasSubstr("a and b-c, or of a-b and c"));
  const known_names needed{odd.hosts, {{"a-b", "c"}}};
  EXPECT_EQ(read("cut a-b-c", needed)->link.from, "a-b");
}

TEST(deeds, what_there_is_not_lists_what_there_is) {
  const auto host = read("crash dbb");
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().why, kind::unknown_host);
  EXPECT_EQ(host.error().says, "there is no host 'dbb'; there are: db, app, job-queue, user");
  const auto link = read("cut app-dbb");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().why, kind::unknown_link);
  EXPECT_THAT(link.error().says, HasSubstr("there are: app-db, app-job-queue;"));
  EXPECT_EQ(read("cut app-app").error().why, kind::unknown_link);
  EXPECT_EQ(read("cut app").error().why, kind::unknown_link);
  const auto action = read("explode db");
  EXPECT_EQ(action.error().why, kind::unknown_verb);
  EXPECT_THAT(action.error().says, HasSubstr("unreachable HOST-HOST"));
  EXPECT_EQ(read("cut app-db after 5 bytes from user").error().why, kind::unknown_host);
}

TEST(deeds, of_other_words_are_none) {
  for (const char* text :
       {"", "crash", "crash db now", "delay app-db", "delay app-db fast", "delay app-db 1s 2s", "lose app-db",
        "lose app-db 101%", "lose app-db -1%", "lose app-db nan", "cut app-db after",
        "cut app-db after 0 bytes from db", "cut app-db after -1 bytes from db",
        "cut app-db after 5 bits from db", "cut app-db after 5 bytes from", "forget app-db with",
        "move db away", "heal app-db 5"}) {
    const auto d = read(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().why, kind::bad_request) << text;
    EXPECT_FALSE(d.error().says.empty());
  }
}

TEST(deeds, show_no_control_characters_and_no_novels) {
  const auto d = read_deed(std::vector<std::string>{"crash", "\x1b[2J" + std::string(5000, 'x')}, shop);
  ASSERT_FALSE(d);
  EXPECT_THAT(d.error().says, testing::Not(HasSubstr("\x1b")));
  EXPECT_LT(d.error().says.size(), 300U);
}

TEST(durations, have_units) {
  EXPECT_EQ(read_duration("200ms"), milliseconds(200));
  EXPECT_EQ(read_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(read_duration("2min"), milliseconds(120'000));
  EXPECT_EQ(read_duration("3"), milliseconds(3000));
  EXPECT_EQ(read_duration("0s"), milliseconds(0));
  for (const char* bad : {"", "ms", "s", "-1s", "1h", "1 s", "inf", "nans", "61min", "1e99s", "0x10s", "1ss"})
    EXPECT_FALSE(read_duration(bad)) << bad;
}

TEST(shares, are_percents_or_fractions) {
  EXPECT_DOUBLE_EQ(*read_share("5%"), 0.05);
  EXPECT_DOUBLE_EQ(*read_share("0.25"), 0.25);
  EXPECT_DOUBLE_EQ(*read_share("100%"), 1);
  for (const char* bad : {"", "%", "5", "-0.1", "101%", "nan%", "five"}) EXPECT_FALSE(read_share(bad)) << bad;
}

TEST(requests, come_back_as_they_were_written) {
  const auto back = [](request r) {
    const std::string line = to_line(r);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto again = read_request(line.substr(0, line.size() - 1));
    EXPECT_TRUE(again) << again.error().says;
    EXPECT_EQ(to_line(*again), line);
    return *again;
  };
  const auto d = back({7, do_request{{"crash", "db"}, false}});
  EXPECT_EQ(d.id, 7);
  EXPECT_THAT(std::get<do_request>(d.what).words, testing::ElementsAre("crash", "db"));
  EXPECT_FALSE(std::get<do_request>(d.what).wait);
  EXPECT_EQ(std::get<ask_request>(back({{}, ask_request{judge::probe_kind::health}}).what).what,
            judge::probe_kind::health);
  const auto e =
      std::get<exec_request>(back({{}, exec_request{"app", {"sh", "-c", "echo a\nb"}, "in"}}).what);
  EXPECT_EQ(e.host, "app");
  EXPECT_EQ(e.argv[2], "echo a\nb");
  EXPECT_EQ(e.input, "in");
  back({std::numeric_limits<std::int64_t>::min(), state_request{}});
  back({{}, down_request{}});
}

TEST(requests, have_defaults) {
  EXPECT_TRUE(std::get<do_request>(read_request(R"({"version":1,"verb":"do","words":["heal"]})")->what).wait);
  EXPECT_EQ(std::get<ask_request>(read_request(R"({"version":1,"verb":"ask"})")->what).what,
            judge::probe_kind::probe);
}

TEST(requests, that_are_none_are_refused_with_a_reason) {
  const std::pair<std::string, kind> refused[] = {
      {"", kind::bad_request},
      {"crash db", kind::bad_request},
      {"[]", kind::bad_request},
      {R"({"verb":"state"})", kind::bad_request},
      {R"({"version":2,"verb":"state"})", kind::bad_request},
      {R"({"version":"1","verb":"state"})", kind::bad_request},
      {R"({"version":1})", kind::bad_request},
      {R"({"version":1,"verb":7})", kind::bad_request},
      {R"({"version":1,"verb":"explode"})", kind::unknown_verb},
      {R"({"version":1,"verb":"state","id":"x"})", kind::bad_request},
      {R"({"version":1,"verb":"do"})", kind::bad_request},
      {R"({"version":1,"verb":"do","words":"crash db"})", kind::bad_request},
      {R"({"version":1,"verb":"do","words":[]})", kind::bad_request},
      {R"({"version":1,"verb":"do","words":["crash",1]})", kind::bad_request},
      {R"({"version":1,"verb":"do","words":["crash","db"],"wait":1})", kind::bad_request},
      {R"({"version":1,"verb":"ask","what":"me"})", kind::bad_request},
      {R"({"version":1,"verb":"exec","argv":["ls"]})", kind::bad_request},
      {R"({"version":1,"verb":"exec","host":"db","argv":["l\u0000s"]})", kind::bad_request},
      {std::string(longest_line + 1, ' '), kind::bad_request},
      {std::string(100'000, '['), kind::bad_request}};
  for (const auto& [line, why] : refused) {
    const auto r = read_request(line);
    ASSERT_FALSE(r) << line.substr(0, 80);
    EXPECT_EQ(r.error().why, why) << line.substr(0, 80);
    EXPECT_FALSE(r.error().says.empty());
  }
}

TEST(publications, have_addresses_and_ports) {
  const auto p = read_publication("3000:app:8080");
  ASSERT_TRUE(p);
  EXPECT_EQ(in_words(*p), "127.0.0.1:3000 -> app:8080");
  EXPECT_EQ(in_words(*read_publication("0.0.0.0:0:app:80")), "0.0.0.0:0 -> app:80");
  EXPECT_EQ(in_words(*read_publication("[::1]:3000:app:80")), "[::1]:3000 -> app:80");
  for (const char* bad : {"", ":", "3000", "3000:app", "app:80", "3000::80", "3000:app:0", "3000:app:65536",
                          "-1:app:80", "x:app:80", "::1:3000:app:80", "[127.0.0.1]:3000:app:80",
                          "1.2.3:3000:app:80", ":3000:app:80", "3000:app:80 "})
    EXPECT_FALSE(read_publication(bad)) << bad;
}

TEST(base64, comes_back) {
  EXPECT_EQ(to_base64("Man"), "TWFu");
  EXPECT_EQ(to_base64("Ma"), "TWE=");
  EXPECT_EQ(to_base64("M"), "TQ==");
  std::string all;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(from_base64(to_base64(all)), all);
    all += static_cast<char>(i);
  }
  for (const char* bad : {"A", "AB", "ABC", "A===", "=AAA", "AA=A", "AB==ABCD", "A*AA"})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

}  // namespace
}  // namespace halfopen::control
