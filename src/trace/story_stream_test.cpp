#include "halfopen/trace/story_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/packet_builder.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;
using std::chrono::seconds;
using ::testing::ElementsAre;

/// Says what client port `port` and the server say to each other, one millisecond apart.
class talk {
 public:
  explicit talk(const stream_limits& limits = {}, story_stream::keep steps = {})
      : stream{[this](untold&& c) { told.push_back(std::move(c).tell()); }, limits, std::move(steps)} {}

  talk& say(bool opener, std::uint16_t port, const segment& s) {
    const endpoint from{client.address, port};
    const frame f =
        opener ? tcp_packet(from, server, s, {.id = ++id_}) : tcp_packet(server, from, s, {.id = ++id_});
    now += std::chrono::milliseconds{1};
    stream.add(decode(f, link::raw_ip, ++number, now).value());
    return *this;
  }
  talk& open(std::uint16_t port, std::uint32_t isn = 1000) {
    say(true, port, {.sequence = isn, .flags = syn});
    say(false, port, {.sequence = 5000, .acknowledgement = isn + 1, .flags = syn | ack});
    return say(true, port, {.sequence = isn + 1, .acknowledgement = 5001});
  }
  talk& close(std::uint16_t port, std::uint32_t isn = 1000) {
    say(true, port, {.sequence = isn + 1, .acknowledgement = 5001, .flags = fin | ack});
    say(false, port, {.sequence = 5001, .acknowledgement = isn + 2, .flags = fin | ack});
    return say(true, port, {.sequence = isn + 2, .acknowledgement = 5002});
  }
  talk& wait(std::chrono::nanoseconds d) {
    now += d;
    stream.advance(now);
    return *this;
  }

  [[nodiscard]] std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> all;
    for (const file_entry& c : told) all.push_back(c.number);
    return all;
  }

  std::vector<file_entry> told;
  story_stream stream;
  time_point now{seconds{1'000'000}};
  std::uint64_t number = 0;

 private:
  unsigned id_ = 0;
};

TEST(story_stream, a_story_is_told_a_minute_after_its_end_or_when_the_capture_ends) {
  talk t;
  t.open(1000).open(1001).close(1001).wait(seconds(59));
  EXPECT_TRUE(t.told.empty());
  t.wait(seconds(1));
  EXPECT_THAT(t.numbers(), ElementsAre(2));
  EXPECT_EQ(t.told[0].story.how, ending::completed);
  t.stream.finish();
  EXPECT_THAT(t.numbers(), ElementsAre(2, 1));
  EXPECT_FALSE(t.told[1].story.ended);
  EXPECT_EQ(t.stream.held(), 0U);
}

TEST(story_stream, late_words_belong_to_the_connection_that_has_ended) {
  talk t;
  t.open(1000).close(1000).wait(seconds(30));
  t.say(false, 1000, {.sequence = 5001, .acknowledgement = 1002, .flags = fin | ack});
  t.wait(seconds(59));
  EXPECT_TRUE(t.told.empty()) << "it spoke since";
  t.wait(seconds(2));
  ASSERT_THAT(t.numbers(), ElementsAre(1));
  EXPECT_EQ(t.told[0].story.what.last.number, 7U);
}

TEST(story_stream, an_unanswered_syn_is_waited_for_as_long_as_linux_repeats_it) {
  talk t;
  t.say(true, 1000, {.sequence = 1, .flags = syn}).wait(seconds(149));
  EXPECT_TRUE(t.told.empty());
  t.wait(seconds(2));
  ASSERT_EQ(t.told.size(), 1U);
  EXPECT_TRUE(t.told[0].story.has(manner::never_answered));
}

TEST(story_stream, an_idle_connection_is_let_go_and_says_so) {
  talk t{{.idle = seconds(1000)}};
  t.open(1000).wait(seconds(800));
  t.say(true, 1000, {.sequence = 1001, .acknowledgement = 5001, .payload = 5});
  for (int i = 0; i < 5; ++i) t.wait(seconds(160));
  EXPECT_TRUE(t.told.empty());
  for (int i = 0; i < 4; ++i) t.wait(seconds(160));
  ASSERT_EQ(t.told.size(), 1U);
  EXPECT_TRUE(t.told[0].story.has(doubt::watch_given_up));
}

TEST(story_stream, port_reuse_ends_the_old_connection_and_begins_a_new_one) {
  talk t;
  t.open(1000).close(1000).wait(seconds(1)).open(1000, 70'000).close(1000, 70'000);
  t.stream.finish();
  ASSERT_THAT(t.numbers(), ElementsAre(1, 2));
  EXPECT_TRUE(t.told[0].story.has(manner::time_wait_reuse));
  EXPECT_FALSE(t.told[1].story.has(manner::time_wait_reuse));
}

TEST(story_stream, holds_no_more_than_its_limit_and_lets_the_longest_silent_go) {
  talk t{{.connections = 4}};
  for (std::uint16_t port = 1; port <= 4; ++port) t.open(port);
  t.say(true, 1, {.sequence = 1001, .acknowledgement = 5001, .payload = 5});
  t.open(5).wait({});
  EXPECT_THAT(t.numbers(), ElementsAre(2)) << "the first has spoken since";
  EXPECT_TRUE(t.told[0].story.has(doubt::watch_given_up));
  EXPECT_EQ(t.stream.held(), 4U);
}

TEST(story_stream, memory_follows_the_open_connections_and_not_the_file) {
  talk t;
  std::size_t most = 0;
  for (unsigned i = 0; i < 60'000; ++i) {
    const auto port = static_cast<std::uint16_t>(1 + i % 60'000);
    t.open(port).close(port);
    most = std::max(most, t.stream.held());
    if (t.told.size() > 1000) t.told.clear();
  }
  EXPECT_LT(most, 10'100U);
}

TEST(story_stream, keeps_the_first_and_the_last_packets) {
  talk t{{}, [](std::uint64_t number) { return number == 1 ? 6 : 0; }};
  t.open(1000).open(1001);
  for (std::uint32_t i = 0; i < 20; ++i)
    t.say(true, 1000, {.sequence = 1001 + i, .acknowledgement = 5001, .payload = 1});
  t.stream.finish();
  ASSERT_THAT(t.numbers(), ElementsAre(1, 2));
  std::vector<std::uint64_t> steps;
  for (const step& s : t.told[0].steps) steps.push_back(s.number);
  EXPECT_THAT(steps, ElementsAre(1, 2, 3, 24, 25, 26));
  EXPECT_EQ(t.told[0].steps_left_out, 17U);
  EXPECT_TRUE(t.told[1].steps.empty());
}

}  // namespace
}  // namespace halfopen::trace
