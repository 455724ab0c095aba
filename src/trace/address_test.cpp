#include "halfopen/trace/address.hpp"

#include <gtest/gtest.h>

namespace halfopen::trace {
namespace {

TEST(address, ipv4_text_comes_back) {
  const auto a = ip_address::parse("192.0.2.7");
  ASSERT_TRUE(a);
  EXPECT_FALSE(a->is_v6());
  EXPECT_EQ(a->bytes().size(), 4U);
  EXPECT_EQ(a->to_string(), "192.0.2.7");
}

TEST(address, ipv6_text_comes_back_in_its_shortest_form) {
  const auto a = ip_address::parse("2001:db8:0:0:0:0:0:1");
  ASSERT_TRUE(a);
  EXPECT_TRUE(a->is_v6());
  EXPECT_EQ(a->to_string(), "2001:db8::1");
}

TEST(address, what_is_not_an_address_is_nothing) {
  for (const std::string_view text : {"", "10.1", "10.0.0.256", "localhost", "fd00::1%eth0", "[::1]", " ::1"})
    EXPECT_FALSE(ip_address::parse(text)) << text;
  EXPECT_FALSE(ip_address::parse(std::string(1000, '1')));
  EXPECT_FALSE(ip_address::parse(std::string_view{"::1\0x", 5}));
}

TEST(address, any_other_number_of_bytes_is_the_null_address) {
  const std::array<std::byte, 5> five{std::byte{1}};
  EXPECT_EQ(ip_address{five}, ip_address{});
  EXPECT_EQ(ip_address{five}.to_string(), "0.0.0.0");
}

TEST(address, ipv4_and_its_mapped_form_differ) {
  EXPECT_NE(ip_address::parse("10.0.0.1"), ip_address::parse("::ffff:10.0.0.1"));
}

TEST(address, an_endpoint_brackets_ipv6) {
  EXPECT_EQ((endpoint{*ip_address::parse("10.0.0.1"), 80}.to_string()), "10.0.0.1:80");
  EXPECT_EQ((endpoint{*ip_address::parse("fd00::1"), 80}.to_string()), "[fd00::1]:80");
}

}  // namespace
}  // namespace halfopen::trace
