#include "pair/layout.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "pair/sockets.hpp"

namespace halfopen::pair {
namespace {

std::vector<int> bytes_of(std::string_view machine, two_longs values) {
  const layout l = parse_layout(machine).value();
  const image bytes = store(l, values);
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size_of_struct(l))};
}

// What a server on one machine makes of a client on another, and the client of its reply.
std::int64_t sum_between(std::string_view client, std::string_view server, two_longs values) {
  const layout c = parse_layout(client).value();
  const layout s = parse_layout(server).value();
  return load_long(c, store_long(s, add_on(s, load(s, store(c, values)))));
}

TEST(layout, every_name_is_known_and_no_other) {
  for (const std::string_view name : layout_names) EXPECT_TRUE(parse_layout(name)) << name;
  for (const std::string_view name : {"", "le", "le16", "me32", "le32-", "le32-padded-padded", "LE32"})
    EXPECT_FALSE(parse_layout(name)) << name;
  EXPECT_EQ(parse_layout("be32-padded"), (layout{true, 4, 8}));
}

TEST(layout, native_is_what_the_compiler_does) {
  struct {
    long a;
    long b;
  } structure{-2, static_cast<long>(0x0102030405060708)};  // cut where a long has 4 bytes
  const layout native = native_layout();
  ASSERT_EQ(size_of_struct(native), sizeof structure);
  EXPECT_EQ(std::memcmp(store(native, {structure.a, structure.b}).data(), &structure, sizeof structure), 0);
}

TEST(layout, the_bytes_of_each_machine) {
  EXPECT_EQ(bytes_of("le32", {1, -2}), (std::vector{1, 0, 0, 0, 254, 255, 255, 255}));
  EXPECT_EQ(bytes_of("be32", {1, -2}), (std::vector{0, 0, 0, 1, 255, 255, 255, 254}));
  EXPECT_EQ(bytes_of("le32-padded", {1, 2}), (std::vector{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(bytes_of("be64", {1, 2}), (std::vector{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}));
  EXPECT_EQ(bytes_of("le64-padded", {1, 2}).size(), 32u);
}

TEST(layout, what_is_stored_is_loaded) {
  for (const std::string_view name : layout_names)
    EXPECT_EQ(sum_between(name, name, {-22, -77}), -99) << name;
}

TEST(layout, a_record_is_stored_and_loaded_as_this_machine_has_it) {
  const layout here = native_layout();
  const image request = store_request(format::record, here, {-22, -77});
  EXPECT_EQ(request[0], '+');
  const two_longs got = load_request(format::record, here, request);
  EXPECT_EQ(load_sum(format::record, here, store_sum(format::record, here, got)), -99);
  EXPECT_EQ(reply_size(format::record, here), 8u);
}

// The words of a line that begins with that name, one after the other.
std::string told(const std::string& name) {
  const std::string all = "\n" + bytes_here(-22, -77);
  const std::size_t begin = all.find("\n" + name + " ") + name.size() + 2;
  std::string line = all.substr(begin, all.find('\n', begin) - begin);
  std::erase(line, ' ');
  return line;
}

TEST(layout, the_bytes_that_are_told_are_those_that_are_sent) {
  for (const auto& [name, how] : {std::pair{"raw", format::raw}, {"record", format::record}}) {
    const layout here = native_layout();
    const image bytes = store_request(how, here, {-22, -77});
    const std::string line = told(name);
    ASSERT_EQ(line.size(), 2 * request_size(how, here)) << line;
    for (std::size_t i = 0; i < request_size(how, here); ++i) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(bytes[i]));
      const std::string shown = line.substr(2 * i, 2);
      EXPECT_TRUE(shown == digits || (shown == ".." && bytes[i] == 0)) << name << " " << i;
    }
  }
  EXPECT_EQ(told("text"), "2d3232202d37370a");
  EXPECT_EQ(told("binary"), "00000013f50101ffffffffffffffeaffffffffffffffb3");
}

TEST(layout, the_other_byte_order_gives_a_wrong_sum_unless_nothing_is_carried) {
  EXPECT_EQ(sum_between("le32", "be32", {1, 2}), 3);
  EXPECT_EQ(sum_between("le32", "be32", {-22, -77}), -16777314);  // the number in UNPv1 section 5.18
}

TEST(layout, a_4_byte_long_wraps) {
  EXPECT_EQ(add_on({false, 4, 4}, {0x7FFFFFFF, 1}), -0x80000000LL);
}

TEST(endpoint, is_a_host_and_perhaps_a_port) {
  const auto text = [](std::string_view given) {
    const auto e = parse_endpoint(given);
    return e ? e->text() : e.error();
  };
  EXPECT_EQ(text("server"), "server:7007");
  EXPECT_EQ(text("server:80"), "server:80");
  EXPECT_EQ(text("::1"), "[::1]:7007");
  EXPECT_EQ(text("[::1]"), "[::1]:7007");
  EXPECT_EQ(text("[::1]:80"), "[::1]:80");
  EXPECT_EQ(text("[::1"), "no closing ']'");
  EXPECT_EQ(text(":80"), "no host");
  for (const std::string_view wrong : {"server:", "server:http", "server:65536", "server:-1", "[::1]80"})
    EXPECT_EQ(text(wrong), "the port is no number up to 65535") << wrong;
}

}  // namespace
}  // namespace halfopen::pair
