#include "judge/system/link_traffic.hpp"

#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using trace::side;

constexpr trace::time_point fault{100s};

trace::mark at(milliseconds since_fault) {
  return {1, fault + since_fault};
}

trace::connection answered() {
  trace::connection c;
  c.first = at(-200ms);
  c.last = at(9s);
  c.of(side::opener).syn = at(-200ms);
  c.of(side::responder).syn = at(-199ms);
  return c;
}

TEST(told_of, one_that_no_packet_ended_is_open) {
  EXPECT_EQ(told_of(answered(), fault), (dependency_connection{-200ms, std::nullopt, connection_end::open}));
}

TEST(told_of, the_first_fin_or_rst_of_either_side_ends_it) {
  auto c = answered();
  c.of(side::responder).fin = at(3s);
  EXPECT_EQ(told_of(c, fault), (dependency_connection{-200ms, 3s, connection_end::closed}));
  c.of(side::opener).fin = at(4s);
  c.of(side::opener).rst = at(5s);
  EXPECT_EQ(told_of(c, fault), (dependency_connection{-200ms, 3s, connection_end::closed}));
  c.of(side::opener).rst = at(2s);
  EXPECT_EQ(told_of(c, fault), (dependency_connection{-200ms, 2s, connection_end::reset}));
}

TEST(told_of, a_syn_is_refused_or_not_answered) {
  trace::connection c;
  c.first = at(1s);
  c.last = at(8s);
  c.of(side::opener).syn = at(1s);
  EXPECT_EQ(told_of(c, fault), (dependency_connection{1s, 8s, connection_end::unanswered}));
  c.of(side::responder).rst = at(1001ms);
  EXPECT_EQ(told_of(c, fault), (dependency_connection{1s, 1001ms, connection_end::refused}));
}

}  // namespace
}  // namespace halfopen::judge
