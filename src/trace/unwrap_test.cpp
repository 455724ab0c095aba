// What stands around an IP packet, and IP packets in pieces.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/encapsulations.hpp"
#include "trace/fragments.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;
using ::testing::ElementsAre;

std::uint32_t bits(const std::vector<carrier>& all) {
  std::uint32_t b = 0;
  for (const carrier c : all) b |= 1U << static_cast<unsigned>(c);
  return b;
}

TEST(unwrap, finds_the_segment_in_everything) {
  for (const encapsulation& e : encapsulations()) {
    const auto p = decode(e.bytes, e.type, 1, {});
    ASSERT_TRUE(p) << e.name << ": " << to_string(p.error());
    ASSERT_EQ(p->what, packet::kind::tcp) << e.name;
    EXPECT_EQ(p->tcp.sequence, 77U) << e.name;
    EXPECT_EQ(p->tcp.destination.port, 80) << e.name;
    EXPECT_EQ(p->carried_in, bits(e.carriers)) << e.name;
    EXPECT_TRUE(p->fragment.empty()) << e.name;
  }
}

TEST(unwrap, reads_nothing_beyond_a_cut) {
  for (const encapsulation& e : encapsulations())
    for (std::size_t size = 0; size < e.bytes.size(); ++size) {
      const frame cut(e.bytes.begin(), e.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const auto p = decode(cut, e.type, 1, {});
      EXPECT_FALSE(p && p->what == packet::kind::tcp) << e.name << " cut to " << size;
    }
}

TEST(unwrap, names_what_it_cannot_read) {
  packet p;
  const frame esp = ethernet(ipv4(a_router, client.address, frame(40), {.protocol = 50}));
  EXPECT_TRUE(decode_into(p, esp, link::ethernet, 1, {}));
  EXPECT_EQ(p.carried_in, bits({carrier::encrypted}));
  const frame wpa = of({0x08, 0x41, 0, 0}) + frame(60);
  EXPECT_FALSE(decode_into(p, wpa, link::wlan, 1, {}));
  EXPECT_EQ(p.carried_in, bits({carrier::wlan, carrier::encrypted}));
  const frame dtls =
      ethernet(ipv4(a_router, client.address, udp(5247, of({1}) + frame(30)), {.protocol = 17}));
  EXPECT_FALSE(decode_into(p, dtls, link::ethernet, 1, {}));
  EXPECT_EQ(p.carried_in, bits({carrier::capwap, carrier::encrypted}));
}

TEST(unwrap, datagrams_on_a_tunnels_port_are_not_all_tunnels) {
  for (const unsigned port : {1701U, 2152U, 3544U, 4789U, 5247U, 6081U}) {
    const frame f =
        ethernet(ipv4(a_router, client.address, udp(port, frame(40, std::byte{0xFF})), {.protocol = 17}));
    const auto p = decode(f, link::ethernet, 1, {});
    EXPECT_FALSE(p && p->what == packet::kind::tcp) << port;
  }
}

TEST(unwrap, a_frame_of_nothing_but_layers_ends) {
  frame f = frame(12);
  for (int i = 0; i < 20'000; ++i) put(f, of({0x88, 0xE7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(decode(f, link::ethernet, 1, {}));
  frame nested = tcp_packet(client, server, {.flags = syn});
  for (int i = 0; i < 100; ++i) nested = ipv4(a_router, client.address, nested, {.protocol = 4});
  const auto p = decode(nested, link::raw_ip, 1, {});
  EXPECT_FALSE(p && p->what == packet::kind::tcp);
}

TEST(unwrap, options_that_the_snaplen_cut_do_not_lose_the_packet) {
  frame f = ethernet(tcp_packet(client, server, {.sequence = 5, .flags = syn, .options = 20}));
  f.resize(f.size() - 18);
  const auto p = decode(f, link::ethernet, 1, {});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->what, packet::kind::tcp);
  EXPECT_EQ(p->tcp.length, 0U);
  f.resize(f.size() - 3);  // into the header itself
  EXPECT_FALSE(decode(f, link::ethernet, 1, {}));
}

// ---- fragments ---------------------------------------------------------------------

struct put_together {
  std::vector<packet> got;
  std::vector<std::size_t> lengths;
  defragmenter d{[this](std::span<const std::byte> ip, std::uint64_t number, time_point when) {
    const auto p = decode(ip, link::raw_ip, number, when);
    if (!p) return;
    got.push_back(*p);
    lengths.push_back(p->tcp.length);
  }};

  void give(const frame& f, std::uint64_t number, std::chrono::seconds at = {}) {
    const auto p = decode(f, link::raw_ip, number, time_point{at});
    ASSERT_TRUE(p);
    ASSERT_FALSE(p->fragment.empty());
    d.take(p->fragment, number, time_point{at});
  }
};

/// A segment with 60 bytes of payload, in pieces of 40 bytes.
std::vector<frame> pieces() {
  const frame whole = segment{.sequence = 9, .payload = 60}.bytes(client.port, server.port);
  std::vector<frame> all;
  for (std::size_t at = 0; at < whole.size(); at += 40) {
    const std::size_t end = std::min(at + 40, whole.size());
    const frame part(whole.begin() + static_cast<std::ptrdiff_t>(at),
                     whole.begin() + static_cast<std::ptrdiff_t>(end));
    const unsigned more = end < whole.size() ? 0x2000U : 0U;
    all.push_back(
        ipv4(client.address, server.address, part, {.fragment = more | static_cast<unsigned>(at / 8)}));
  }
  return all;
}

TEST(fragments, come_in_any_order) {
  const auto all = pieces();
  ASSERT_EQ(all.size(), 2U);
  put_together forward, backward;
  forward.give(all[0], 1);
  forward.give(all[1], 2);
  backward.give(all[1], 1);
  backward.give(all[0], 2);
  for (const auto* p : {&forward, &backward}) {
    EXPECT_THAT(p->lengths, ElementsAre(60U));
    EXPECT_EQ(p->got[0].number, 2U);
    EXPECT_TRUE(p->got[0].fragment.empty());
    EXPECT_EQ(p->d.whole(), 1U);
  }
}

TEST(fragments, of_which_one_is_missing_give_what_the_first_holds) {
  const auto all = pieces();
  put_together only_first, only_second, late;
  only_first.give(all[0], 1);
  only_first.d.finish();
  EXPECT_THAT(only_first.lengths, ElementsAre(20U));
  only_second.give(all[1], 1);
  only_second.d.finish();
  EXPECT_TRUE(only_second.got.empty());
  EXPECT_EQ(only_second.d.given_up(), 1U);
  late.give(all[0], 1);
  late.give(all[1], 2, std::chrono::seconds{40});
  EXPECT_THAT(late.lengths, ElementsAre(20U)) << "the identification is another packet's by now";
}

TEST(fragments, twice_or_overlapping_count_once) {
  const auto all = pieces();
  put_together p;
  p.give(all[0], 1);
  p.give(all[0], 2);
  p.give(all[1], 3);
  EXPECT_THAT(p.lengths, ElementsAre(60U));
}

TEST(fragments, of_ipv6) {
  const frame whole = segment{.sequence = 9, .payload = 44}.bytes(client_v6.port, server_v6.port);
  put_together p;
  for (const std::size_t at : {0U, 32U}) {
    frame header = of({6, 0, 0, 0, 0, 0, 0, 7});
    header[3] = static_cast<std::byte>(at | (at == 0 ? 1U : 0U));
    const std::size_t end = at == 0 ? 32 : whole.size();
    const frame part(whole.begin() + static_cast<std::ptrdiff_t>(at),
                     whole.begin() + static_cast<std::ptrdiff_t>(end));
    p.give(ipv6(client_v6.address, server_v6.address, header + part, 44), at + 1);
  }
  EXPECT_THAT(p.lengths, ElementsAre(44U));
}

TEST(fragments, any_bytes_at_all) {
  for (const frame& f : pieces())
    for (std::size_t size = 0; size < f.size(); ++size) {
      put_together p;
      p.d.take(std::span{f}.first(size), 1, {});
    }
  put_together many;
  for (unsigned i = 0; i < 1000; ++i)
    many.give(
        ipv4(client.address, server.address, segment{}.bytes(1, 2) + frame(4), {.fragment = 0x2000, .id = i}),
        i + 1);
  many.d.finish();
  EXPECT_EQ(many.d.given_up(), 1000U);
}

}  // namespace
}  // namespace halfopen::trace
