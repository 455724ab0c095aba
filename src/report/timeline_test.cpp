#include "report/timeline.hpp"

#include <gmock/gmock.h>

namespace halfopen::report {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using kind = timeline_mark::kind;

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

timeline one_row(std::vector<timeline_mark> marks) {
  return {.title = "a <title>",
          .zero = "fault",
          .turn_words = "db is <back>",
          .turn = 10s,
          .rows = {{"probe", std::move(marks)}}};
}

TEST(timeline_axis, time_grows_logarithmically_from_zero_and_again_from_the_turn) {
  const timeline_axis axis(-100ms, 30min, 30min + 10s);
  EXPECT_EQ(axis.place(0ms), 11.0);
  EXPECT_EQ(axis.place(30min), 55.0);
  EXPECT_EQ(axis.place(30min + 10s), 99.0);
  EXPECT_EQ(axis.place(-100ms), 1.0);
  double before = axis.place(-100ms);
  for (const auto at :
       {-10ms, 0ms, 10ms, 1000ms, 60'000ms, 1'799'999ms, 1'800'000ms, 1'800'100ms, 1'810'000ms}) {
    EXPECT_GE(axis.place(at), before) << at.count();
    before = axis.place(at);
  }
  const double a_second = axis.place(1s) - axis.place(0ms),
               last_second = axis.place(30min - 1ms) - axis.place(30min - 1s);
  EXPECT_GT(a_second, 10.0) << "percent";
  EXPECT_LT(last_second, 0.1);
  EXPECT_GT(axis.place(30min + 100ms) - axis.place(30min), 10.0) << "a recovery of 100 ms is seen";
}

TEST(timeline_axis, ticks_have_labels_that_people_read) {
  std::vector<std::string> labels;
  for (const auto& tick : timeline_axis(0ms, 30min, 30min + 2s).ticks()) labels.push_back(tick.label);
  EXPECT_THAT(labels, ElementsAre("100 ms", "1 s", "10 s", "1 min", "10 min", "100 ms", "1 s"));
}

TEST(timeline_axis, without_a_turn_time_grows_from_zero_alone) {
  const timeline_axis axis(0ms, std::nullopt, 3h);
  EXPECT_EQ(axis.place(0ms), 11.0);
  EXPECT_EQ(axis.place(3h), 99.0);
  std::vector<std::string> labels;
  for (const auto& tick : axis.ticks()) labels.push_back(tick.label);
  EXPECT_THAT(labels, ElementsAre("100 ms", "1 s", "10 s", "1 min", "10 min", "1 h"));
}

TEST(timeline_axis, stays_within_the_picture_whatever_the_time) {
  const timeline_axis axis(-1h, 10s, 20s);
  for (const auto at : {std::chrono::milliseconds(-87600h), std::chrono::milliseconds(87600h)}) {
    EXPECT_GE(axis.place(at), 1.0);
    EXPECT_LE(axis.place(at), 99.0);
  }
}

TEST(timeline, a_mark_is_as_long_as_what_it_shows) {
  const std::string svg = to_svg(one_row({{0ms, 10s, kind::stuck, "hung & killed"}}));
  EXPECT_THAT(
      svg,
      HasSubstr("<g class=\"timeline-stuck\"><title>hung &amp; killed</title><rect x=\"11.00%\" y=\"58\" "
                "width=\"44.00%\" height=\"8\"/><svg x=\"55.00%\" y=\"62\" overflow=\"visible\"><path "
                "d=\"M-4-4L4 4M-4 4L4-4\"/></svg></g>"));
}

TEST(timeline, what_goes_on_has_no_sign_at_its_end) {
  EXPECT_THAT(to_svg(one_row({{0ms, 10s, kind::line, "open"}})), HasSubstr("M0-4V4"));
  EXPECT_THAT(to_svg(one_row({{0ms, 10s, kind::line, "open", true}})), Not(HasSubstr("M0-4V4")));
}

TEST(timeline, each_kind_has_a_shape_of_its_own) {
  const timeline t = one_row({{0ms, 1s, kind::good, "a"},
                              {0ms, 1s, kind::poor, "b"},
                              {0ms, 1s, kind::wrong, "c"},
                              {0ms, 1s, kind::unfinished, "d"},
                              {0ms, 1s, kind::line, "e"}});
  const std::string svg = to_svg(t);
  for (const char* look : {"good", "poor", "wrong", "unfinished", "line"})
    EXPECT_EQ(times(svg, std::string("class=\"timeline-") + look + "\""), 1U) << look;
  EXPECT_THAT(svg, HasSubstr("M0-6L5 4H-5Z"));
  const std::string keys =
      to_html(t, {{kind::good, "served"}, {kind::stuck, "hung"}, {kind::wrong, "<wrong>"}});
  EXPECT_THAT(keys, AllOf(HasSubstr("served"), HasSubstr("&lt;wrong&gt;"), Not(HasSubstr("hung"))));
}

TEST(timeline, the_outage_is_shaded_and_its_ends_are_named) {
  const std::string svg = to_svg(one_row({{0ms, 1s, kind::good, ""}}));
  EXPECT_THAT(
      svg, HasSubstr("<rect class=\"timeline-away\" x=\"11.00%\" y=\"36\" width=\"44.00%\" height=\"37\"/>"));
  EXPECT_THAT(svg, HasSubstr(">fault</text>"));
  EXPECT_THAT(svg, HasSubstr(">db is &lt;back&gt;</text>"));
  timeline without = one_row({});
  without.turn = std::nullopt;
  EXPECT_THAT(to_svg(without), AllOf(Not(HasSubstr("timeline-away")), Not(HasSubstr("back"))));
}

TEST(timeline, what_overlaps_stands_in_lanes) {
  const std::string svg =
      to_svg(one_row({{0ms, 2s, kind::poor, ""}, {1s, 3s, kind::poor, ""}, {2500ms, 3s, kind::poor, ""}}));
  EXPECT_EQ(times(svg, "y=\"58\" width"), 2U) << svg;
  EXPECT_EQ(times(svg, "y=\"68\" width"), 1U);
}

TEST(timeline, very_many_marks_are_counted_and_the_telling_ones_are_drawn) {
  std::vector<timeline_mark> marks(100'000, {0ms, 10s, kind::good, "served"});
  marks.push_back({1s, 2s, kind::wrong, "wrong"});
  const std::string svg = to_svg(one_row(std::move(marks)));
  EXPECT_LT(svg.size(), 10'000U);
  EXPECT_EQ(times(svg, "class=\"timeline-good\""), 7U);
  EXPECT_EQ(times(svg, "class=\"timeline-wrong\""), 1U);
  EXPECT_THAT(svg, HasSubstr("probe (and 99993 more, no room)"));
}

TEST(timeline, other_moments_are_lines_with_words) {
  timeline t = one_row({{0ms, 1s, kind::good, ""}});
  t.moments = {{5s, "it ended: <exit 1>"}};
  EXPECT_THAT(to_svg(t), HasSubstr("<g class=\"timeline-event\"><title>it ended: &lt;exit 1&gt;</title>"));
  t.moments.assign(1000, {5s, "it ended"});
  EXPECT_EQ(times(to_svg(t), "timeline-event"), 20U);
}

}  // namespace
}  // namespace halfopen::report
