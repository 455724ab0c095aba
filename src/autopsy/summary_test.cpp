#include "autopsy/summary.hpp"

#include <gmock/gmock.h>

namespace halfopen::autopsy {
namespace {

using trace::culprit;

trace::file_entry ended(std::uint64_t number, ending how, culprit by, std::chrono::seconds half_open = {}) {
  trace::file_entry c;
  c.number = number;
  c.story.ended = true;
  c.story.how = how;
  c.story.by = by;
  if (half_open.count() > 0) c.story.half_open_for = half_open;
  c.story.what.opener.address = trace::ip_address::parse("10.0.0.1").value();
  c.story.what.responder.address = trace::ip_address::parse("10.0.0.2").value();
  return c;
}

TEST(summary, keeps_the_worst_and_counts_all) {
  using std::chrono::seconds;
  summary s{3};
  s.add(ended(1, ending::completed, culprit::opener));
  s.add(ended(2, ending::peer_vanished, culprit::nobody, seconds{5}));
  s.add(ended(3, ending::refused, culprit::responder));
  s.add(ended(4, ending::peer_vanished, culprit::nobody, seconds{50}));
  s.add(ended(5, ending::peer_reset, culprit::responder));
  s.add(ended(6, ending::completed, culprit::opener));
  EXPECT_EQ(s.connections(), 6U);
  EXPECT_EQ(s.endings().at("peer_vanished").connections, 2U);
  EXPECT_EQ(s.endings().at("peer_vanished").longest_half_open, seconds{50});
  EXPECT_EQ(s.endings().at("completed").by[0], 2U);
  const auto& client = s.hosts().at(trace::ip_address::parse("10.0.0.1").value());
  const auto& server = s.hosts().at(trace::ip_address::parse("10.0.0.2").value());
  EXPECT_EQ(client.opened, 6U);
  EXPECT_EQ(server.answered, 6U);
  EXPECT_EQ(server.died, 4U);
  EXPECT_EQ(server.killed, 2U);
  EXPECT_EQ(server.silent, 2U);
  std::vector<std::uint64_t> numbers;
  for (const auto& c : s.take_worst()) numbers.push_back(c.number);
  EXPECT_THAT(numbers, ::testing::ElementsAre(4, 2, 5));
}

TEST(summary, equal_stories_are_one_group) {
  summary s{1};
  for (std::uint64_t i = 1; i <= 5; ++i) s.add(ended(i, ending::peer_reset, culprit::responder));
  s.add(ended(6, ending::peer_vanished, culprit::nobody));
  s.add(ended(7, ending::completed, culprit::opener));
  auto other = ended(8, ending::peer_reset, culprit::responder);
  other.story.what.opener.address = trace::ip_address::parse("10.0.0.9").value();
  s.add(std::move(other));
  const auto groups = s.groups();
  ASSERT_EQ(groups.size(), 2U) << "nobody suffered from what was completed";
  EXPECT_EQ(groups[0]->example.story.how, ending::peer_vanished);
  EXPECT_EQ(groups[1]->connections, 6U);
  EXPECT_EQ(groups[1]->example.number, 1U);
  EXPECT_TRUE(groups[1]->several_openers);
}

TEST(summary, a_scan_of_all_ports_stays_small) {
  summary s{1};
  for (std::uint64_t i = 1; i <= 60'000; ++i) {
    auto c = ended(i, ending::refused, culprit::responder);
    c.story.what.responder.port = static_cast<std::uint16_t>(i);
    s.add(std::move(c));
  }
  const auto groups = s.groups();
  EXPECT_LE(groups.size(), 1001U);
  EXPECT_EQ(groups[0]->connections, 59'000U);
  EXPECT_TRUE(groups[0]->several_ports);
}

}  // namespace
}  // namespace halfopen::autopsy
