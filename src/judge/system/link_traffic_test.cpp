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

// ---- what the two said, from packets

const trace::ip_address service = trace::ip_address::parse("10.0.0.1").value();
const trace::ip_address dependency = trace::ip_address::parse("10.0.0.2").value();
constexpr std::uint16_t port = 5432;

trace::endpoint from_port(std::uint16_t p) {
  return {service, p};
}

/// An Ethernet frame of IPv4 (RFC 791) and TCP (RFC 9293 section 3.1) with that payload, without checksums.
struct numbers {
  std::uint32_t sequence = 0, acknowledges = 1;
  std::uint32_t flags = trace::ack;
};
std::vector<std::byte> frame(bool by_service, std::uint16_t service_port, numbers of,
                             std::string_view payload) {
  std::vector<std::byte> bytes;
  const auto put = [&](std::initializer_list<std::uint32_t> all) {
    for (const std::uint32_t b : all) bytes.push_back(static_cast<std::byte>(b & 0xff));
  };
  const auto put_port = [&](std::uint32_t p) { put({p >> 8, p}); };
  put({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0});
  const auto length = static_cast<std::uint32_t>(40 + payload.size());
  const std::uint32_t from = by_service ? 1 : 2;
  put({0x45, 0, length >> 8, length, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, from, 10, 0, 0, 3 - from});
  put_port(by_service ? service_port : port);
  put_port(by_service ? port : service_port);
  for (const std::uint32_t n : {of.sequence, of.acknowledges}) put({n >> 24, n >> 16, n >> 8, n});
  put({0x50, of.flags, 1, 0, 0, 0, 0, 0});
  for (const char c : payload) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

class said_on_a_link : public testing::Test {
 protected:
  said_on_a_link() { packets_.know(service, dependency, {}, 4); }
  void say(milliseconds when, bool by_service, std::uint16_t service_port, std::uint32_t sequence,
           lab::passage became = lab::passage::delivered) {
    take(when, frame(by_service, service_port, {.sequence = sequence}, "words"), became);
  }
  void acknowledge(milliseconds when, std::uint16_t service_port, std::uint32_t up_to,
                   std::uint32_t flags = 0) {
    const numbers of{.sequence = 1, .acknowledges = up_to, .flags = trace::ack | flags};
    take(when, frame(false, service_port, of, ""), lab::passage::delivered);
  }
  void take(milliseconds when, const std::vector<std::byte>& bytes, lab::passage became) {
    packets_.take({.number = ++number_, .when = fault + when, .frame = bytes, .notes = {}, .became = became});
  }
  link_traffic packets_;
  std::uint64_t number_ = 0;
};

TEST_F(said_on_a_link, an_ask_waits_where_something_was_said_and_nothing_came_back) {
  say(1s, true, 1000, 1);  // before the ask
  say(2s, true, 1001, 1);
  say(3s, true, 1002, 1);
  say(4s, false, 1002, 1);
  say(3s, true, 1003, 1);
  say(4s, false, 1003, 1, lab::passage::lost);
  say(5s, true, 1000, 1);  // repeated by the kernel
  using all = std::map<trace::endpoint, bool>;
  EXPECT_EQ(packets_.said_on(fault + 2s),
            (all{{from_port(1001), false}, {from_port(1002), true}, {from_port(1003), false}}));
  say(6s, true, 1000, 6);
  say(7s, true, 1002, 6);
  EXPECT_EQ(packets_.said_on(fault + 6s), (all{{from_port(1000), false}, {from_port(1002), false}}));
}

TEST_F(said_on_a_link, a_stale_connection_is_used_after_its_end_and_answered_with_a_reset) {
  const auto ended = [](std::uint16_t service_port, milliseconds end, milliseconds reset) {
    trace::connection c = answered();
    c.opener = from_port(service_port);
    c.of(side::responder).fin_acked_at = at(end);
    c.of(side::responder).rst = at(reset);
    return c;
  };
  say(-100ms, true, 1000, 1);
  say(-100ms, true, 1001, 1);
  say(100ms, true, 1001, 1);  // repeated by the kernel
  say(2s, true, 1000, 6);
  say(2500ms, true, 1000, 11);
  say(2s, true, 1002, 1);
  say(1s, true, 1003, 1);
  trace::connection stale = ended(1000, 10ms, 2001ms), repeated = ended(1001, 10ms, 101ms),
                    not_reset = ended(1002, 10ms, 2001ms), before_its_end = ended(1003, 1500ms, 1600ms),
                    reset_before = ended(1002, 10ms, 20ms), alive = answered();
  not_reset.of(side::responder).rst.reset();
  alive.opener = from_port(1002);
  const auto uses =
      packets_.stale_uses({&alive, &not_reset, &repeated, &reset_before, &before_its_end, &stale}, fault);
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].ended, 10ms);
  EXPECT_EQ(uses[0].used, 2s);
  EXPECT_EQ(uses[0].packet, 4U);
}

TEST_F(said_on_a_link, a_request_has_reached_the_dependency_once_it_is_acknowledged) {
  say(1s, true, 1000, 1);
  acknowledge(1001ms, 1000, 6);
  say(2s, true, 1000, 6);
  say(3s, true, 1000, 6);  // repeated by the kernel
  acknowledge(3001ms, 1000, 11);
  acknowledge(3002ms, 1000, 6);     // an older one that comes late
  say(4s, true, 1000, 11);          // never acknowledged
  say(4s, true, 1001, 4294967294);  // across the end of the sequence space
  acknowledge(4001ms, 1001, 3);
  const std::string shape = packets_.said(fault).at(0);
  const auto all = packets_.requests_like(shape, fault);
  EXPECT_EQ(all.arrived, 3U);
  EXPECT_EQ(all.first, 1U);
  EXPECT_EQ(all.last, 8U);
  EXPECT_EQ(packets_.requests_like(shape, fault + 2s).arrived, 2U);
}

TEST_F(said_on_a_link, what_an_rst_alone_acknowledges_was_never_read) {
  say(1s, true, 1000, 1);
  acknowledge(1001ms, 1000, 6, trace::rst);
  say(2s, true, 1001, 1);
  acknowledge(2001ms, 1001, 6);
  acknowledge(2002ms, 1001, 6, trace::rst);
  EXPECT_EQ(packets_.requests_like(packets_.said(fault).at(0), fault).arrived, 1U);
}

}  // namespace
}  // namespace halfopen::judge
