#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/document.hpp"
#include "judge/html_ladder.hpp"
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
    EXPECT_EQ(times(text, std::string("href=\"#") + place + "\""), 1U) << place;
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

TEST(html, an_interruption_is_said_at_the_top) {
  const auto text = page({pair("whole", {result("exit/1", verdict::pass)}),
                          samples::interrupted_pair("<half>", {result("exit/1", verdict::pass)}, 59)});
  EXPECT_EQ(times(text, "<p class=\"interrupted\">"), 1U);
  EXPECT_LT(text.find("&lt;half&gt;: interrupted: 1 of 59 cases were played"), text.find("<table"));
}

TEST(html, hostile_bytes_are_text) {
  const auto text = page({samples::hostile_pair()});
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, HasSubstr("&lt;script&gt;"));
  EXPECT_EQ(times(text, "<pre>"), times(text, "</pre>"));
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
  EXPECT_EQ(l.left_out, 920U);
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
