#include "trace/id_rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>

namespace halfopen::trace {
namespace {

packet from(std::uint8_t host, std::uint16_t id) {
  packet p;
  const std::array bytes{std::byte{10}, std::byte{0}, std::byte{0}, std::byte{host}};
  p.source = ip_address(bytes);
  p.ip_id = id;
  return p;
}

TEST(id_row, two_steps_make_one) {
  id_row r;
  r.take(100);
  r.take(101);
  EXPECT_FALSE(r.goes_on_with(102));
  r.take(103);
  EXPECT_TRUE(r.goes_on_with(104));
  EXPECT_TRUE(r.goes_on_with(103 + id_row::furthest));
  EXPECT_FALSE(r.goes_on_with(104 + id_row::furthest));
  EXPECT_FALSE(r.goes_on_with(103)) << "the same once more is no step";
  EXPECT_FALSE(r.goes_on_with(102));
}

TEST(id_row, wraps_and_leaves_out_zero) {
  id_row r;
  for (const int id : {65'530, 65'533, 0, 2, 5}) r.take(static_cast<std::uint16_t>(id));
  EXPECT_TRUE(r.goes_on_with(6));
  EXPECT_FALSE(r.goes_on_with(0));
}

TEST(id_row, a_leap_begins_it_anew) {
  id_row r;
  for (const int id : {100, 101, 102, 9000}) r.take(static_cast<std::uint16_t>(id));
  EXPECT_FALSE(r.goes_on_with(9001));
}

TEST(id_rows, belong_to_a_host) {
  id_rows all;
  for (std::uint16_t id = 1; id < 5; ++id) {
    all.take(from(1, id));
    all.take(from(2, static_cast<std::uint16_t>(50'000 - 500 * id)));
  }
  EXPECT_TRUE(all.goes_on_with(from(1, 5)));
  EXPECT_FALSE(all.goes_on_with(from(2, 5)));
  EXPECT_FALSE(all.goes_on_with(from(3, 5)));
}

TEST(id_rows, a_host_without_identifications_has_none) {
  id_rows all;
  all.take(from(1, 0));
  EXPECT_FALSE(all.goes_on_with(from(1, 1)));
}

}  // namespace
}  // namespace halfopen::trace
