#include "halfopen/wire/text.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace halfopen::wire::text {
namespace {

using std::string_view_literals::operator""sv;
constexpr auto max = std::numeric_limits<std::int64_t>::max();
constexpr auto min = std::numeric_limits<std::int64_t>::min();

// All lines that come out, and the error's description last, if there was one.
std::vector<std::string> lines_of(framer& f) {
  std::vector<std::string> lines;
  for (;;) {
    const auto line = f.next();
    if (!line) {
      lines.emplace_back(describe(line.error()));
      return lines;
    }
    if (!*line) return lines;
    lines.emplace_back(**line);
  }
}

std::vector<std::string> lines_of(std::string_view bytes, std::size_t limit, std::size_t segment) {
  framer f{limit};
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < bytes.size(); at += segment) {
    f.feed(bytes.substr(at, segment));
    for (auto& line : lines_of(f)) lines.push_back(std::move(line));
    if (!f.next()) break;
  }
  return lines;
}

TEST(text_framer, gives_the_same_lines_however_the_bytes_are_cut) {
  const std::vector<std::string> expected{"1 2", "", "3 4"};
  for (std::size_t segment = 1; segment <= 12; ++segment)
    EXPECT_EQ(lines_of("1 2\n\n3 4\n5", 10, segment), expected) << segment;
}

TEST(text_framer, ends_a_line_that_is_too_long_even_if_its_end_came_along) {
  const std::vector<std::string> expected{"1234", "a message longer than the limit"};
  for (std::size_t segment = 1; segment <= 11; ++segment)
    EXPECT_EQ(lines_of("1234\n12345\n", 4, segment), expected) << segment;
}

TEST(text_framer, rejects_a_nul_but_gives_the_lines_before_it) {
  const std::vector<std::string> expected{"1 2", "a NUL byte in a text line"};
  for (std::size_t segment = 1; segment <= 9; ++segment)
    EXPECT_EQ(lines_of("1 2\n3\0 4\n"sv, 10, segment), expected) << segment;
}

TEST(text_framer, an_error_is_final) {
  framer f{2};
  f.feed("123");
  EXPECT_FALSE(f.next());
  f.feed("\n4\n");
  EXPECT_FALSE(f.next());
}

TEST(text_framer, knows_whether_a_message_has_begun) {
  framer f{10};
  EXPECT_FALSE(f.mid_message());
  f.feed("1 2\n3");
  EXPECT_EQ(lines_of(f).size(), 1u);
  EXPECT_TRUE(f.mid_message());
  EXPECT_EQ(f.rest(), "3");
  f.feed("\n");
  EXPECT_EQ(lines_of(f).size(), 1u);
  EXPECT_FALSE(f.mid_message());
}

TEST(text_framer, takes_a_line_of_many_megabytes_in_small_pieces) {
  const std::size_t size = 8 << 20;
  framer f{size};
  const std::string piece(4096, 'x');
  for (std::size_t fed = 0; fed < size; fed += piece.size()) {
    f.feed(piece);
    ASSERT_EQ(f.next(), std::nullopt);
  }
  f.feed("\n");
  EXPECT_EQ(f.next().value().value().size(), size);
}

TEST(text, decodes_requests) {
  EXPECT_EQ(decode_request("1 2"), (sum_request{1, 2}));
  EXPECT_EQ(decode_request("-22 -77"), (sum_request{-22, -77}));
  EXPECT_EQ(decode_request("9223372036854775807 -9223372036854775808"), (sum_request{max, min}));
  EXPECT_EQ(decode_request("007 -0"), (sum_request{7, 0}));
}

TEST(text, rejects_what_is_not_exactly_two_integers) {
  for (const std::string_view line : {"",
                                      " ",
                                      "1",
                                      "1 ",
                                      " 1 2",
                                      "1 2 ",
                                      "1  2",
                                      "1\t2",
                                      "1 2\r",
                                      "1 2 3",
                                      "+1 2",
                                      "1 +2",
                                      "- 1",
                                      "--1 2",
                                      "0x1 2",
                                      "1.0 2",
                                      "1e3 2",
                                      "one two",
                                      "99999999999999999999 x",
                                      "99999999999999999999x 1"})
    EXPECT_EQ(decode_request(line), std::unexpected(decode_error::not_a_number)) << line;
}

TEST(text, tells_out_of_range_from_malformed) {
  for (const std::string_view line : {"9223372036854775808 0", "0 -9223372036854775809",
                                      "1 99999999999999999999999999999999999999999999999"})
    EXPECT_EQ(decode_request(line), std::unexpected(decode_error::out_of_range)) << line;
}

TEST(text, decodes_replies) {
  EXPECT_EQ(decode_reply("3").value(), sum_reply{3});
  EXPECT_EQ(decode_reply("error overflow").value(), sum_reply{std::unexpected(sum_error::overflow)});
  EXPECT_EQ(decode_reply("error").error(), decode_error::not_a_number);
  EXPECT_EQ(decode_reply("error what").error(), decode_error::bad_code);
  EXPECT_EQ(decode_reply("3 ").error(), decode_error::not_a_number);
}

TEST(text, what_is_encoded_can_be_decoded) {
  EXPECT_EQ(encode(sum_request{1, -2}), "1 -2\n");
  EXPECT_EQ(encode(sum_reply{min}), "-9223372036854775808\n");
  for (const sum_error e : all_sum_errors) {
    std::string line = encode(sum_reply{std::unexpected(e)});
    line.pop_back();
    EXPECT_EQ(decode_reply(line).value(), sum_reply{std::unexpected(e)}) << line;
  }
}

TEST(sum, overflow_is_an_error_and_not_a_number) {
  EXPECT_EQ(add({1, 2}), sum_reply{3});
  EXPECT_EQ(add({max, min}), sum_reply{-1});
  EXPECT_EQ(add({max, 1}), sum_reply{std::unexpected(sum_error::overflow)});
  EXPECT_EQ(add({min, -1}), sum_reply{std::unexpected(sum_error::overflow)});
}

TEST(sum, the_server_goes_on_after_a_request_that_was_at_least_well_formed) {
  EXPECT_FALSE(ends_connection(answer_to(decode_error::out_of_range)));
  EXPECT_TRUE(ends_connection(answer_to(decode_error::not_a_number)));
  EXPECT_TRUE(ends_connection(answer_to(decode_error::too_long)));
  EXPECT_TRUE(ends_connection(answer_to(decode_error::bad_magic)));
}

}  // namespace
}  // namespace halfopen::wire::text
