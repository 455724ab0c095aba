#include "report/ladder.hpp"

#include <gmock/gmock.h>

namespace halfopen::report {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using trace::side;

ladder example() {
  ladder l;
  l.title = "a <title>";
  l.hosts = {"client 10.0.0.1:40000", "server 10.0.0.2:80"};
  l.arrows = {{.at = 0ns, .number = 1, .what = ladder_arrow::kind::opening, .label = "SYN"},
              {.at = 1ms, .number = 2, .from = 1, .to = 0, .label = "ACK", .detail = "seq 1"},
              {.at = 5s,
               .number = 9,
               .from = 1,
               .to = 0,
               .what = ladder_arrow::kind::reset,
               .label = "RST",
               .stressed = true}};
  l.marks = {{.at = 2ms, .text = "the host <dies>", .on = 1}, {.at = 6s, .text = "program exited"}};
  return l;
}

std::size_t at(const std::string& text, const std::string& what) {
  EXPECT_THAT(text, HasSubstr(what));
  return text.find(what);
}

TEST(ladder, rows_stand_in_the_order_of_time) {
  const std::string text = to_text(example(), {.width = 80});
  EXPECT_LT(at(text, " SYN "), at(text, " ACK "));
  EXPECT_LT(at(text, " ACK "), at(text, "the host <dies>"));
  EXPECT_LT(at(text, "the host <dies>"), at(text, "5.00 s later"));
  EXPECT_LT(at(text, "5.00 s later"), at(text, " RST "));
  EXPECT_LT(at(text, " RST "), at(text, "program exited"));
  EXPECT_THAT(text, HasSubstr("5.000000       9*")) << "a packet that proves something";
}

TEST(ladder, arrows_point_away_from_whoever_speaks) {
  const std::string text = to_text(example(), {.width = 80});
  const std::string syn = text.substr(text.find("0.000000"), 200),
                    ack = text.substr(text.find("0.001000"), 200);
  EXPECT_THAT(syn.substr(0, syn.find('\n')), HasSubstr("▶│"));
  EXPECT_THAT(ack.substr(0, ack.find('\n')), HasSubstr("│◀"));
}

TEST(ladder, no_line_is_wider_than_the_window) {
  for (const std::size_t width : {60U, 80U, 120U}) {
    const std::string text = to_text(example(), {.width = width});
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      std::size_t columns = 0;
      for (std::size_t i = begin; i < end; ++i)
        columns += (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
      EXPECT_LE(columns, width) << text.substr(begin, end - begin);
    }
  }
}

TEST(ladder, svg_escapes_what_it_shows) {
  const std::string svg = to_svg(example());
  EXPECT_THAT(svg, HasSubstr("the host &lt;dies&gt;"));
  EXPECT_THAT(svg, HasSubstr("<title>a &lt;title&gt;</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("<dies>")));
  EXPECT_THAT(svg, HasSubstr("class=\"ladder-reset ladder-proof\""));
  EXPECT_EQ(html_escaped("\"a\" & 'b'\x1b"), "&quot;a&quot; &amp; &#39;b&#39;\xEF\xBF\xBD");
}

ladder of_three() {
  ladder l;
  l.hosts = {"user", "app", "db"};
  l.arrows = {{.at = 0ns, .number = 1, .from = 0, .to = 1, .label = "there"},
              {.at = 1ms, .number = 2, .from = 2, .to = 1, .label = "back"},
              {.at = 2ms, .number = 3, .from = 0, .to = 2, .label = "across"}};
  l.marks = {{.at = 3ms, .text = "it ends", .on = 1}};
  return l;
}

TEST(ladder, of_three_hosts_has_three_columns) {
  EXPECT_EQ(to_text(of_three(), {.width = 62}),
            "                      user              app                 db\n"
            "    0.000000       1  ├───── there ─────▶│                   │\n"
            "    0.001000       2  │                  │◀────── back ──────┤\n"
            "    0.002000       3  ├────────────── across ───────────────▶│\n"
            "    0.003000          │                  ◆ it ends           │\n");
}

TEST(ladder, svg_arrows_stand_between_their_hosts) {
  const std::string svg = to_svg(of_three(), {.width = 408, .left = 100, .with_style = false});
  EXPECT_THAT(svg, HasSubstr("<line x1=\"100\" y1=\"74\" x2=\"250\" y2=\"74\"/>"));
  EXPECT_THAT(svg, HasSubstr("<line x1=\"400\" y1=\"104\" x2=\"250\" y2=\"104\"/>"));
  EXPECT_THAT(svg, HasSubstr("<line x1=\"100\" y1=\"134\" x2=\"400\" y2=\"134\"/>"));
  EXPECT_THAT(svg, HasSubstr("<circle cx=\"250\""));
}

ladder of_a_wait() {
  ladder l = example();
  l.marks = {{.at = 6s, .text = "it vanishes", .stressed = true}};
  l.wait = ladder_wait{
      .on = 0, .from = 6s, .seen = 26s, .still = "still waiting", .outlook = "would wait for ever"};
  return l;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto from = text.find(what); from != std::string::npos; from = text.find(what, from + 1)) ++n;
  return n;
}

TEST(ladder, a_silence_breaks_the_lines_of_the_hosts) {
  const std::string svg = to_svg(of_a_wait(), {.with_style = false});
  // Two jumps of time and the end of what was watched, of two hosts.
  EXPECT_THAT(svg, HasSubstr("5.00 s later"));
  EXPECT_THAT(svg, HasSubstr("20.00 s of silence"));
  EXPECT_THAT(svg, HasSubstr("not watched any longer"));
  EXPECT_EQ(count(svg, "class=\"ladder-break\""), 4U * 2);  // and a second between the RST and the fault
  EXPECT_EQ(count(svg, "class=\"ladder-host-line\""), 5U * 2);
}

TEST(ladder, who_waits_has_a_bar_to_where_it_was_seen_and_another_look_beyond) {
  ladder l = of_a_wait();
  EXPECT_EQ(count(to_svg(l, {.with_style = false}), "ladder-unseen"), 2U) << "broken where nobody watched";
  EXPECT_LT(at(to_text(l), "still waiting"), at(to_text(l), "would wait for ever"));
  l.wait->outlook_seen = 100s;
  l.wait->outlook = "waited for 94 s";
  const std::string svg = to_svg(l, {.with_style = false});
  EXPECT_EQ(count(svg, "ladder-unseen"), 0U);
  EXPECT_THAT(svg, HasSubstr("74.00 s of silence"));
  l.wait.reset();
  EXPECT_EQ(count(to_svg(l, {.with_style = false}), "ladder-wait"), 0U);
}

TEST(ladder, where_packets_are_left_out_it_is_not_called_silence) {
  ladder l = of_a_wait();
  l.arrows.push_back({.at = 16s, .number = 50, .label = "ACK"});
  l.left_out = {{3, 7}};
  EXPECT_THAT(to_text(l), HasSubstr("10.00 s later"));
  l.left_out.clear();
  EXPECT_THAT(to_text(l), HasSubstr("10.00 s of silence"));
}

TEST(ladder, of_a_connection_counts_from_its_syn) {
  trace::file_entry c;
  c.number = 3;
  c.story.what.first.when = trace::time_point{100s};
  c.story.what.of(side::opener).initial_sequence = 4'294'967'290U;  // soon to wrap
  c.story.proof = {2};
  c.steps = {
      {.number = 1, .when = trace::time_point{100s}, .sequence = 4'294'967'290U, .flags = trace::syn},
      {.number = 2,
       .when = trace::time_point{101s},
       .sequence = 4,
       .acknowledgement = 50,
       .length = 7,
       .flags = trace::ack},
      {.number = 5, .when = trace::time_point{102s}, .from = side::opener, .icmp = trace::unreachable::host}};
  c.steps_left_out = 8;
  const ladder l = ladder_of(c, {"alice", ""});
  EXPECT_THAT(l.hosts.at(0), HasSubstr("alice"));
  EXPECT_EQ(l.arrows[1].detail, "seq 10, ack 0, win 0");
  EXPECT_EQ(l.arrows[1].label, "7 bytes, ACK");
  EXPECT_TRUE(l.arrows[1].stressed);
  EXPECT_EQ(l.arrows[2].label, "ICMP host unreachable");
  EXPECT_EQ(l.arrows[2].from, 1U) << "it comes back";
  EXPECT_THAT(to_text(l), HasSubstr("8 packets not shown"));
}

ladder of_data(std::size_t packets, std::size_t stressed) {
  ladder l = example();
  l.arrows.clear();
  l.marks.clear();
  for (std::size_t i = 0; i < packets; ++i)
    l.arrows.push_back({.at = std::chrono::milliseconds{i},
                        .number = i + 1,
                        .what = ladder_arrow::kind::data,
                        .label = "data",
                        .stressed = i == stressed,
                        .bytes = 100});
  return l;
}

TEST(ladder, folds_a_run_in_which_nothing_happens) {
  const std::string text = to_text(of_data(40, 20));
  EXPECT_THAT(text,
              HasSubstr("14 more, 1400 B > 0 B <"));  // 3 to each side of it, before and behind the proof
  EXPECT_THAT(text, HasSubstr("13 more, 1300 B > 0 B <"));
  EXPECT_THAT(text, HasSubstr("     21*"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1 + 13 + 2);
}

TEST(ladder, folds_nothing_across_a_silence_or_a_mark) {
  ladder l = of_data(12, 100);
  EXPECT_THAT(to_text(l), HasSubstr("6 more"));
  l.marks.push_back({.at = std::chrono::microseconds{5500}, .text = "here"});
  EXPECT_THAT(to_text(l), Not(HasSubstr("more,")));
  l = of_data(12, 100);
  for (std::size_t i = 6; i < l.arrows.size(); ++i) l.arrows[i].at += 2s;
  EXPECT_THAT(to_text(l), Not(HasSubstr("more,")));
}

}  // namespace
}  // namespace halfopen::report
