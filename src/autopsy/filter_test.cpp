#include "autopsy/filter.hpp"

#include <gmock/gmock.h>

namespace halfopen::autopsy {
namespace {

trace::ip_address address(std::string_view text) {
  return trace::ip_address::parse(text).value();
}

TEST(filter, networks_of_any_length) {
  const auto in = [](std::string_view n, std::string_view a) {
    return network::parse(n)->contains(address(a));
  };
  EXPECT_TRUE(in("10.1.2.0/23", "10.1.3.255"));
  EXPECT_FALSE(in("10.1.2.0/23", "10.1.4.0"));
  EXPECT_TRUE(in("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(in("0.0.0.0/0", "fd00::1"));
  EXPECT_TRUE(in("fd00::/12", "fd0f::1"));
  EXPECT_FALSE(in("10.0.0.1", "10.0.0.2"));
  for (const char* wrong : {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "fd00::/129"})
    EXPECT_FALSE(network::parse(wrong)) << wrong;
}

TEST(filter, times_of_both_kinds) {
  using namespace std::chrono_literals;
  EXPECT_EQ(moment::parse("+1.5")->from(trace::time_point{10s}), trace::time_point{11'500ms});
  EXPECT_EQ(moment::parse("1970-01-02T00:00:01.25")->from({}), trace::time_point{24h + 1'250ms});
  EXPECT_TRUE(moment::parse("2024-02-29 10:00:00Z"));
  for (const char* wrong : {"", "+", "+x", "+-1", "noon", "2023-02-29T10:00:00", "2024-01-01",
                            "2024-01-01T25:00:00", "2024-01-01T10:00:00+02"})
    EXPECT_FALSE(moment::parse(wrong)) << wrong;
}

TEST(filter, an_ending_finds_what_could_be_it_too) {
  trace::file_entry c;
  c.story.ended = true;
  c.story.how = ending::peer_rebooted;
  c.story.also_possible = {ending::peer_reset};
  const auto shows = [&](std::string_view word) {
    filter f;
    EXPECT_TRUE(f.add_ending(word));
    return f.shows(c, {});
  };
  EXPECT_TRUE(shows("peer_rebooted"));
  EXPECT_TRUE(shows("peer_reset"));
  EXPECT_FALSE(shows("open"));
  EXPECT_FALSE(shows("middlebox_reset"));
  c.story.manners.push_back({trace::manner::middlebox_reset, ""});
  EXPECT_TRUE(shows("middlebox_reset"));
  EXPECT_FALSE(filter{}.add_ending("murder"));
}

}  // namespace
}  // namespace halfopen::autopsy
