// The examples of docs/wire-format.md as files: what is in them means what the page says, and is
// what we send for it, to the byte, whatever machine this is.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>

#include "halfopen/wire/binary.hpp"
#include "halfopen/wire/text.hpp"

namespace halfopen::wire {
namespace {

const std::map<std::string, sum_request> requests{
    {"request", {1, 2}},
    {"request_negative", {-22, -77}},
    {"request_largest", {std::numeric_limits<std::int64_t>::max(), 1}},
};
const std::map<std::string, sum_reply> replies{
    {"sum", sum_reply{3}},
    {"sum_negative", sum_reply{-99}},
    {"overflow", sum_reply{std::unexpected(sum_error::overflow)}},
};

std::string file(const std::string& name) {
  std::ifstream in(std::filesystem::path(HALFOPEN_VECTORS) / name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

// The file's one message, of either format. Throws if it is none or not one whole one.
template <class Framer>
auto only_message(Framer& f, const std::string& bytes) {
  f.feed(bytes);
  const auto message = f.next().value().value();
  EXPECT_FALSE(f.next().value().has_value());
  return message;
}

TEST(vectors, text) {
  for (const auto& [name, request] : requests) {
    const std::string bytes = file("text_" + name);
    text::framer f{100};
    EXPECT_EQ(text::decode_request(only_message(f, bytes)), request) << name;
    EXPECT_EQ(text::encode(request), bytes) << name;
  }
  for (const auto& [name, reply] : replies) {
    const std::string bytes = file("text_" + name);
    text::framer f{100};
    EXPECT_EQ(text::decode_reply(only_message(f, bytes)).value(), reply) << name;
    EXPECT_EQ(text::encode(reply), bytes) << name;
  }
}

TEST(vectors, binary) {
  for (const auto& [name, request] : requests) {
    const std::string bytes = file("binary_" + name);
    binary::framer f;
    EXPECT_EQ(binary::decode_request(only_message(f, bytes)), request) << name;
    EXPECT_EQ(binary::encode(request), bytes) << name;
  }
  for (const auto& [name, reply] : replies) {
    const std::string bytes = file("binary_" + name);
    binary::framer f;
    EXPECT_EQ(binary::decode_reply(only_message(f, bytes)).value(), reply) << name;
    EXPECT_EQ(binary::encode(reply), bytes) << name;
  }
}

TEST(vectors, the_sums_of_the_requests_are_the_replies) {
  EXPECT_EQ(add(requests.at("request")), replies.at("sum"));
  EXPECT_EQ(add(requests.at("request_negative")), replies.at("sum_negative"));
  EXPECT_EQ(add(requests.at("request_largest")), replies.at("overflow"));
}

TEST(vectors, none_is_left_out) {
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(HALFOPEN_VECTORS)) ++files;
  EXPECT_EQ(files, 2 * (requests.size() + replies.size()));
}

}  // namespace
}  // namespace halfopen::wire
