#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/document.hpp"
#include "judge/html_ladder.hpp"
#include "judge/html_timeline.hpp"
#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using samples::pair;
using samples::result;
using testing::HasSubstr;
using testing::Not;

std::string page(const std::vector<judgement>& pairs) {
  return to_html(pairs);
}

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(html, the_matrix_leads_to_every_case_of_every_pair) {
  const auto text =
      page({pair("first", {result("exit/1", verdict::pass), result("crash/1", verdict::fail)}),
            pair("second", {result("exit/1", verdict::warn), result("future/1", verdict::pass)})});
  EXPECT_EQ(times(text, "<details id="), 4U);
  for (const char* place : {"pair-1-case-1", "pair-1-case-2", "pair-2-case-1", "pair-2-case-2"}) {
    EXPECT_GE(times(text, std::string("href=\"#") + place + "\""), 1U) << place;
    EXPECT_EQ(times(text, std::string("id=\"") + place + "\""), 1U) << place;
  }
  EXPECT_THAT(text, HasSubstr("other cases"));
  EXPECT_EQ(times(text, "<td class=\"v\">"), 6U) << "a cell a pair in each row";
}

TEST(html, a_case_shows_verdict_cure_packets_and_output_by_lines) {
  const auto text = page({pair("a", {samples::full()})});
  for (const char* words : {"! warn", "a rule (RFC 1)", "an expectation", "a reason", "a cure", "a length",
                            "proof: RST from the server (packet 2)", "<svg ", "first\nsecond\n",
                            "line one\nline two", "an error", "--case exit/6"})
    EXPECT_THAT(text, HasSubstr(words));
}

TEST(html, the_first_lines_say_what_was_judged_when_with_which_clock_and_how_it_came_out) {
  const auto text =
      page({pair("redis <7>", {result("exit/1", verdict::pass), result("crash/1", verdict::fail)})});
  EXPECT_THAT(text, HasSubstr("<title>redis &lt;7&gt;: halfopen test</title>"));
  for (const char* words :
       {"<h1>redis &lt;7&gt;</h1>", "Judged 2026-01-02 with the real clock, IPv4 by halfopen 1.2.3",
        "<span class=\"fail\">1 fail</span> <span class=\"pass\">1 pass</span>"})
    EXPECT_LT(text.find(words), text.find("<details")) << words;
}

TEST(html, of_several_programs_the_first_lines_have_the_score_of_each) {
  const auto text =
      page({pair("a", {result("exit/1", verdict::pass)}), pair("b", {result("exit/1", verdict::fail)})});
  EXPECT_THAT(text, HasSubstr("What 2 programs do"));
  EXPECT_LT(text.find("<a href=\"#pair-2\">b</a></th><td class=\"score\"><span class=\"fail\">1 fail</span>"),
            text.find("<details"));
}

TEST(html, the_worst_three_stand_open_at_the_top_and_the_others_folded_below) {
  std::vector<case_result> all;
  for (int i = 1; i <= 5; ++i) all.push_back(result("crash/" + std::to_string(i), verdict::fail));
  all[3].did = outcome::false_success;
  const auto text = page({pair("a", all)});
  EXPECT_EQ(times(text, "<details "), 5U) << "each once";
  EXPECT_EQ(times(text, " open>"), 3U);
  EXPECT_THAT(text, HasSubstr("The worst 3 of 5 that fail or warn"));
  EXPECT_EQ(text.find("<details"), text.find("<details id=\"pair-1-case-4\""));
  EXPECT_LT(text.rfind(" open>"), text.find("id=\"matrix\""));
  EXPECT_LT(text.find("id=\"matrix\""), text.find("<details id=\"pair-1-case-5\""));
  EXPECT_THAT(page({pair("a", {result("exit/1", verdict::pass)})}),
              HasSubstr("No case fails, and none warns."));
}

TEST(html, what_a_hang_would_have_been_is_said_at_once) {
  const auto text = page({pair("a", {samples::hang()})});
  EXPECT_LT(text.find("<p class=\"outlook fail\">would wait 15 min 24 s (computed)</p>"),
            text.find("<svg class=\"ladder"));
}

TEST(html, an_interruption_is_said_at_the_top) {
  const auto text = page({pair("whole", {result("exit/1", verdict::pass)}),
                          samples::interrupted_pair("<half>", {result("exit/1", verdict::pass)}, 59)});
  EXPECT_EQ(times(text, "<p class=\"interrupted\">"), 1U);
  EXPECT_LT(text.find("&lt;half&gt;: interrupted: 1 of 59 cases were played"), text.find("<details"));
}

TEST(html, hostile_bytes_are_text) {
  const auto text = page({samples::hostile_pair()});
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, HasSubstr("&lt;script&gt;"));
  EXPECT_EQ(times(text, "<pre tabindex=\"0\">"), times(text, "</pre>"));
  EXPECT_EQ(times(text, "<title>"), times(text, "</title>"));
  for (const unsigned char c : text) EXPECT_TRUE((c >= 0x20 && c != 0x7f) || c == '\n') << int{c};
}

TEST(ladder, the_fault_stands_out_and_its_proof_too) {
  const auto l = ladder_of(samples::full());
  ASSERT_EQ(l.arrows.size(), 2U) << "the witness's packets are left out";
  EXPECT_FALSE(l.arrows[0].stressed);
  EXPECT_TRUE(l.arrows[1].stressed);
  const auto fault = std::ranges::find(l.marks, true, &report::ladder_mark::stressed);
  ASSERT_NE(fault, l.marks.end());
  EXPECT_EQ(fault->text, "a deed");
  EXPECT_THAT(report::to_svg(l), HasSubstr("ladder-fault"));
}

TEST(ladder, the_fault_stands_at_its_time) {
  auto r = samples::full();
  r.fault_at_ms = 1000;
  r.ends = {{2500, "client", 1, 0}};
  const auto l = ladder_of(r);
  const auto fault = std::ranges::find(l.marks, true, &report::ladder_mark::stressed);
  EXPECT_EQ(fault->at, std::chrono::seconds(1));
  EXPECT_EQ(std::ranges::count(l.marks, "the client's program: exit 1", &report::ladder_mark::text), 1);
}

TEST(ladder, of_a_hang_shows_the_silence_who_waits_and_how_long_it_would_be) {
  const auto l = ladder_of(samples::hang());
  ASSERT_TRUE(l.wait);
  EXPECT_EQ(l.wait->on, 0U);
  EXPECT_EQ(l.wait->from, std::chrono::seconds(1));
  EXPECT_EQ(l.wait->seen, std::chrono::seconds(21));
  EXPECT_EQ(l.wait->still, "still waiting after 20.0 s");
  EXPECT_EQ(l.wait->outlook, "would wait 15 min 24 s (computed)");
  EXPECT_FALSE(l.wait->outlook_seen) << "nobody watched for so long";
  const auto svg = report::to_svg(l);
  for (const char* words : {"20.00 s of silence", "still waiting after 20.0 s", "not watched any longer",
                            "would wait 15 min 24 s (computed)", "class=\"ladder-wait\"",
                            "class=\"ladder-break\"", "ladder-unseen"})
    EXPECT_THAT(svg, HasSubstr(words));
}

TEST(ladder, of_a_hang_that_was_measured_has_its_end_in_time) {
  auto r = samples::hang();
  r.length = {hang_length::source::measured, std::chrono::seconds(924)};
  auto l = ladder_of(r);
  EXPECT_EQ(l.wait->outlook, "waited 15 min 24 s (measured)");
  EXPECT_EQ(l.wait->outlook_seen, std::chrono::seconds(925));
  r.length = {hang_length::source::measured, std::nullopt, std::chrono::hours(3)};
  l = ladder_of(r);
  EXPECT_EQ(l.wait->outlook, "still waiting after 3 h 0 min (measured)");
  EXPECT_EQ(l.wait->outlook_seen, std::chrono::hours(3) + std::chrono::seconds(1));
}

TEST(ladder, of_a_server_that_holds_a_dead_connection_waits_on_its_side) {
  auto r = samples::hang();
  r.subject = subject::server;
  r.did = outcome::holds;
  r.length = {hang_length::source::computed, std::nullopt};
  const auto l = ladder_of(r);
  EXPECT_EQ(l.wait->on, 1U);
  EXPECT_EQ(l.wait->still, "still holds the connection after 20.0 s");
  EXPECT_EQ(l.wait->outlook, "would hold it for ever (computed)");
}

TEST(ladder, of_a_service_waits_for_its_dependency) {
  const auto l = ladder_of(samples::outage_of_db());
  ASSERT_TRUE(l.wait);
  EXPECT_EQ(l.hosts.at(l.wait->on), "app");
  EXPECT_EQ(l.wait->still, "an ask got no answer for 2.0 s");
  EXPECT_EQ(l.wait->seen, std::chrono::milliseconds(1000 + 320 + 2000));
}

TEST(ladder, of_a_program_that_ends_nobody_waits) {
  auto r = samples::hang();
  r.did = outcome::reported;
  EXPECT_FALSE(ladder_of(r).wait);
  r = samples::hang();
  r.fault_at_ms = std::nullopt;
  EXPECT_FALSE(ladder_of(r).wait);
}

TEST(ladder, without_a_fault_nothing_stands_out) {
  auto r = samples::full();
  r.fault_at_ms = std::nullopt;
  EXPECT_EQ(std::ranges::count(ladder_of(r).marks, true, &report::ladder_mark::stressed), 0);
}

TEST(ladder, what_is_lost_does_not_arrive) {
  auto r = samples::full();
  r.packets[0].became = lab::passage::lost;
  r.packets[1].notes = {"lost in thought"};
  const auto l = ladder_of(r);
  EXPECT_TRUE(l.arrows[0].lost);
  EXPECT_FALSE(l.arrows[1].lost);
  const auto svg = report::to_svg(l, {.width = 410, .left = 106, .with_style = false});
  EXPECT_EQ(times(svg, "class=\"ladder-lost\""), 1U);
  EXPECT_EQ(times(svg, "<polygon"), 1U) << "an arrow's head";
  EXPECT_THAT(report::to_text(l), HasSubstr("✗"));
}

TEST(ladder, of_very_many_packets_the_ends_are_shown) {
  auto r = samples::full();
  r.packets.assign(1000, r.packets.front());
  const auto l = ladder_of(r);
  EXPECT_EQ(l.arrows.size(), 80U);
  ASSERT_EQ(l.left_out.size(), 1U);
  EXPECT_EQ(l.left_out[0].count, 920U);
}

TEST(ladder, of_a_system_has_a_column_a_host_that_takes_part) {
  const auto j = samples::system_of("s", {samples::outage_of_db()});
  const auto l = ladder_of(j.results.front(), j.hosts);
  EXPECT_EQ(l.hosts, (std::vector<std::string>{"user", "app", "db", "router"}))
      << "who asks, the service, what it needs, the rest; the witness is nobody's client";
  ASSERT_EQ(l.arrows.size(), 4U);
  EXPECT_EQ(l.arrows[1].from, 1U);
  EXPECT_EQ(l.arrows[1].to, 2U);
  EXPECT_EQ(l.arrows[2].from, 2U);
  EXPECT_EQ(l.arrows[3].from, 3U);
  const auto end = std::ranges::find(l.marks, "the app's program: exit 1", &report::ladder_mark::text);
  ASSERT_NE(end, l.marks.end());
  EXPECT_EQ(end->on, 1U);
  const auto back = std::ranges::find(l.marks, "db is back", &report::ladder_mark::text);
  ASSERT_NE(back, l.marks.end());
  EXPECT_EQ(back->at, std::chrono::seconds(6));
  EXPECT_EQ(times(page({j}), "class=\"ladder-host "), 4U);
}

TEST(ladder, of_a_system_whose_description_is_missing_or_goes_round_has_columns_too) {
  auto r = samples::outage_of_db();
  EXPECT_EQ(ladder_of(r).hosts.size(), 4U);
  const std::vector<judged_host> ring{{"app", "", {"db"}}, {"db", "", {"app"}}};
  EXPECT_EQ(ladder_of(r, ring).hosts.size(), 4U);
  for (int i = 0; i < 100; ++i)
    r.packets[0].from = "host" + std::to_string(i), r.packets.push_back(r.packets[0]);
  EXPECT_EQ(ladder_of(r).hosts.size(), 8U) << "of very many hosts some";
  r.packets.clear();
  EXPECT_NE(report::to_svg(ladder_of(r)), "") << "a case without packets";
}

TEST(ladder, of_very_many_packets_of_a_system_those_around_fault_and_return_are_shown) {
  auto r = samples::outage_of_db();
  const auto packet = r.packets[1];
  r.packets.clear();
  for (std::uint64_t i = 1; i <= 1000; ++i) {  // the fault is after a second, the return after 6
    r.packets.push_back(packet);
    r.packets.back().number = i;
    r.packets.back().at_ms = static_cast<double>(10 * i);
  }
  r.checks = {{"a proof", true, true, 500}};
  const auto l = ladder_of(r);
  ASSERT_EQ(l.arrows.size(), 12U + 36 + 1 + 12 + 36);
  EXPECT_EQ(l.arrows.front().number, 100U - 12);
  EXPECT_TRUE(l.arrows[48].stressed);
  ASSERT_EQ(l.left_out.size(), 4U);
  std::uint64_t sum = l.arrows.size();
  for (const auto& omission : l.left_out) sum += omission.count;
  EXPECT_EQ(sum, 1000U);
  EXPECT_THAT(report::to_text(l), HasSubstr("87 packets not shown"));
}

TEST(ladder, packets_that_the_report_does_not_hold_are_counted) {
  auto r = samples::outage_of_db();
  r.packets[2].number = 5000;
  r.packets[4].number = 5002;
  EXPECT_THAT(report::to_text(ladder_of(r)), HasSubstr("4997 packets not shown"));
}

TEST(timeline, has_a_row_for_each_command_that_asks_and_one_for_the_connections) {
  const auto t = timeline_of(samples::outage_of_db());
  ASSERT_EQ(t.rows.size(), 4U);
  EXPECT_EQ(t.rows[0].label, "probe");
  EXPECT_EQ(t.rows[1].label, "health");
  EXPECT_EQ(t.rows[2].label, "other");
  EXPECT_EQ(t.rows[3].label, "connections to db");
  EXPECT_EQ(t.turn, std::chrono::seconds(5));
  EXPECT_EQ(t.turn_words, "db is back after 5.0 s");
  const auto& probe = t.rows[0].marks;
  ASSERT_EQ(probe.size(), 4U);
  EXPECT_EQ(probe[0].what, report::timeline_mark::kind::stuck);
  EXPECT_EQ(probe[0].until - probe[0].from, std::chrono::seconds(2));
  EXPECT_EQ(probe[0].words, "asked 320 ms after the fault: hung after 2.0 s: no answer");
  EXPECT_EQ(probe[1].what, report::timeline_mark::kind::poor);
  EXPECT_EQ(probe[2].words, "asked 100 ms after db was back: served after 20 ms");
  EXPECT_EQ(probe[3].what, report::timeline_mark::kind::unfinished);
  EXPECT_EQ(t.rows[2].marks.at(0).what, report::timeline_mark::kind::wrong);
}

TEST(timeline, shows_when_connections_ended_and_new_ones_came) {
  const auto marks = timeline_of(samples::outage_of_db()).rows.at(3).marks;
  ASSERT_EQ(marks.size(), 5U);
  EXPECT_EQ(marks[0].words, "opened 500 ms before the fault, closed (FIN) 3.0 s after the fault");
  EXPECT_EQ(marks[0].from, std::chrono::milliseconds(-100)) << "it begins at the edge";
  EXPECT_EQ(marks[1].words, "tried 2.5 s after the fault, refused (RST)");
  EXPECT_EQ(marks[2].words, "tried 2.6 s after the fault, not answered");
  EXPECT_EQ(marks[3].words, "opened 4.5 s after the fault, reset (RST) 4.6 s after the fault");
  EXPECT_EQ(marks[4].words, "opened 100 ms after db was back, and no packet ended it");
  EXPECT_EQ(marks[4].until, std::chrono::milliseconds(5320)) << "to the end of what is known";
  EXPECT_TRUE(marks[4].goes_on);
  EXPECT_FALSE(marks[3].goes_on);
}

TEST(timeline, a_programs_end_is_a_moment_if_its_time_is_one) {
  auto r = samples::outage_of_db();
  ASSERT_EQ(timeline_of(r).moments.size(), 1U);
  EXPECT_EQ(timeline_of(r).moments[0].at, std::chrono::seconds(1));
  EXPECT_EQ(timeline_of(r).moments[0].words, "the program on app ended: exit 1");
  for (const double none : {1e300, -1e300, 0.0}) {
    r.ends[0].at_ms = none;
    EXPECT_TRUE(timeline_of(r).moments.empty()) << none;
  }
}

TEST(html, a_systems_case_has_a_timeline_its_looks_and_its_hosts) {
  const auto text = page({samples::system_of("s", {samples::outage_of_db()})});
  for (const char* words : {"<svg class=\"timeline\"", "<th scope=\"row\">during</th><td class=\"v fail\">",
                            "1 ask hung", "<dt>db<dd><code>exec redis-server</code>",
                            "<dt>probe<dd><code>curl app</code>", "outage: a service loses"})
    EXPECT_THAT(text, HasSubstr(words));
  EXPECT_THAT(text, Not(HasSubstr("other cases"))) << "an outage of a link is one of the catalogue's";
  EXPECT_THAT(page({pair("a", {samples::full()})}), Not(HasSubstr("class=\"timeline\"")));
}

TEST(html, several_systems_share_rows_where_their_links_have_one_name) {
  auto other = samples::outage_of_db();
  other.id = "outage/3@web-api";
  const auto text = page({samples::system_of("a", {samples::outage_of_db()}),
                          samples::system_of("b", {samples::outage_of_db(), other})});
  EXPECT_EQ(times(text, "class=\"case\"><b>outage/3@app-db</b>"), 1U);
  EXPECT_EQ(times(text, "class=\"case\"><b>outage/3@web-api</b>"), 1U);
  EXPECT_EQ(times(text, "<td class=\"v\">"), 4U);
}

TEST(html, a_hostile_systems_bytes_are_text) {
  const auto text = page({samples::hostile_system()});
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_EQ(times(text, "<title>"), times(text, "</title>"));
  for (const unsigned char c : text) EXPECT_TRUE((c >= 0x20 && c != 0x7f) || c == '\n') << int{c};
}

TEST(html, of_a_million_asks_the_page_stays_small) {
  auto r = samples::outage_of_db();
  r.asks.assign(1'000'000, r.asks.front());
  r.connections.assign(100'000, r.connections.front());
  EXPECT_LT(page({samples::system_of("s", {r})}).size(), 100'000U);
}

TEST(ladder, times_that_are_none_do_no_harm) {
  auto r = samples::full();
  r.packets[0].at_ms = 1e300;
  r.packets[1].at_ms = -1e300;
  r.ends[0].at_ms = 1e18;
  EXPECT_NE(report::to_svg(ladder_of(r)), "");
}

}  // namespace
}  // namespace halfopen::judge
