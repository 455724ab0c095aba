#include "halfopen/wire/binary.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace halfopen::wire::binary {
namespace {

// The bytes that docs/wire-format.md shows.
std::string unhex(std::string_view hex) {
  std::string out;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 3)
    out.push_back(static_cast<char>(std::stoi(std::string{hex.substr(at, 2)}, nullptr, 16)));
  return out;
}

const std::string request_1_2 = unhex("00 00 00 13 F5 01 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 02");
const std::string reply_3 = unhex("00 00 00 0B F5 01 02 00 00 00 00 00 00 00 03");
const std::string reply_overflow = unhex("00 00 00 04 F5 01 03 01");

std::expected<std::optional<frame>, decode_error> first_frame(framer& f, std::string_view bytes) {
  f.feed(bytes);
  return f.next();
}

TEST(binary, the_worked_example_of_the_specification) {
  EXPECT_EQ(encode(sum_request{1, 2}), request_1_2);
  EXPECT_EQ(encode(sum_reply{3}), reply_3);
  EXPECT_EQ(encode(sum_reply{std::unexpected(sum_error::overflow)}), reply_overflow);
  EXPECT_EQ(encode(sum_request{-22, -77}),
            unhex("00 00 00 13 F5 01 01 FF FF FF FF FF FF FF EA FF FF FF FF FF FF FF B3"));
}

TEST(binary, what_is_encoded_can_be_decoded) {
  framer f;
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(),
                               std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(decode_request(**first_frame(f, encode(sum_request{n, ~n}))), (sum_request{n, ~n}));
    EXPECT_EQ(decode_reply(**first_frame(f, encode(sum_reply{n}))).value(), sum_reply{n});
  }
  for (const sum_error e : all_sum_errors)
    EXPECT_EQ(decode_reply(**first_frame(f, encode(sum_reply{std::unexpected(e)}))).value(),
              sum_reply{std::unexpected(e)});
}

TEST(binary_framer, gives_the_same_frames_however_the_bytes_are_cut) {
  const std::string bytes = request_1_2 + reply_3 + reply_overflow;
  for (std::size_t segment = 1; segment <= bytes.size(); ++segment) {
    framer f;
    std::vector<frame_type> types;
    for (std::size_t at = 0; at < bytes.size(); at += segment) {
      f.feed(std::string_view{bytes}.substr(at, segment));
      for (auto frame = f.next(); frame.value(); frame = f.next()) types.push_back((*frame)->type);
    }
    EXPECT_EQ(types, (std::vector{frame_type::request, frame_type::sum, frame_type::error})) << segment;
    EXPECT_FALSE(f.mid_message());
  }
}

TEST(binary_framer, names_the_first_field_that_is_wrong_as_soon_as_it_is_there) {
  struct wrong {
    std::string_view hex;
    decode_error error;
  };
  for (const auto& [hex, error] : {
           wrong{"FF FF FF FF", decode_error::too_long},
           wrong{"00 00 00 41", decode_error::too_long},
           wrong{"00 00 00 00", decode_error::bad_length},
           wrong{"00 00 00 02", decode_error::bad_length},
           wrong{"00 00 00 13 31", decode_error::bad_magic},
           wrong{"00 00 00 13 F5 02", decode_error::bad_version},
           wrong{"00 00 00 13 F5 01 00", decode_error::bad_type},
           wrong{"00 00 00 13 F5 01 04", decode_error::bad_type},
           wrong{"00 00 00 12 F5 01 01", decode_error::bad_length},
           wrong{"00 00 00 13 F5 01 02", decode_error::bad_length},
       }) {
    const std::string bytes = unhex(hex);
    framer f;
    for (std::size_t at = 0; at + 1 < bytes.size(); ++at)
      ASSERT_EQ(first_frame(f, bytes.substr(at, 1)).value().has_value(), false) << hex;
    EXPECT_EQ(first_frame(f, bytes.substr(bytes.size() - 1)).error(), error) << hex;
    framer at_once;
    EXPECT_EQ(first_frame(at_once, bytes + "xyz").error(), error) << hex;
  }
}

TEST(binary_framer, an_error_is_final) {
  framer f;
  EXPECT_FALSE(first_frame(f, unhex("00 00 00 00")));
  EXPECT_FALSE(first_frame(f, request_1_2));
}

TEST(binary, a_reply_is_no_request_and_the_other_way_round) {
  framer f;
  EXPECT_EQ(decode_request(**first_frame(f, reply_3)).error(), decode_error::bad_type);
  EXPECT_EQ(decode_reply(**first_frame(f, request_1_2)).error(), decode_error::bad_type);
  EXPECT_EQ(decode_reply(**first_frame(f, unhex("00 00 00 04 F5 01 03 63"))).error(), decode_error::bad_code);
}

}  // namespace
}  // namespace halfopen::wire::binary
