#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "halfopen/trace/packet.hpp"
#include "trace/packet_builder.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;

std::expected<packet, decode_error> read(const frame& f, link type = link::ethernet) {
  // An exact copy on the heap, so that a sanitizer sees a read past its end.
  const frame exact(f.begin(), f.end());
  auto p = decode(exact, type, 7, time_point{});
  if (p) p->tcp.payload = {};  // it would point into the copy
  return p;
}

const segment hello{.sequence = 1000, .acknowledgement = 2000, .flags = psh | ack, .payload = 5};

TEST(decode, a_segment_in_ipv4_in_ethernet) {
  const frame f = ethernet(tcp_packet(client, server, hello));
  const auto p = decode(f, link::ethernet, 7, time_point{std::chrono::seconds{9}});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->what, packet::kind::tcp);
  EXPECT_EQ(p->number, 7U);
  EXPECT_EQ(p->when, time_point{std::chrono::seconds{9}});
  EXPECT_EQ(p->ttl, 63);
  EXPECT_EQ(p->ip_id, 0x1234);
  EXPECT_EQ(p->source, client.address);
  EXPECT_EQ(p->tcp.source, client);
  EXPECT_EQ(p->tcp.destination, server);
  EXPECT_EQ(p->tcp.sequence, 1000U);
  EXPECT_EQ(p->tcp.acknowledgement, 2000U);
  EXPECT_EQ(p->tcp.flags, psh | ack);
  EXPECT_EQ(p->tcp.window, 1000);
  EXPECT_FALSE(p->tcp.has_options);
  EXPECT_EQ(p->tcp.length, 5U);
  ASSERT_EQ(p->tcp.payload.size(), 5U);
  EXPECT_EQ(p->tcp.payload[4], std::byte{'e'});
}

TEST(decode, a_segment_in_ipv6) {
  const auto p = read(ethernet(tcp_packet(client_v6, server_v6, hello)));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->tcp.source, client_v6);
  EXPECT_EQ(p->ttl, 62);
  EXPECT_EQ(p->ip_id, 0);
  EXPECT_EQ(p->tcp.length, 5U);
}

TEST(decode, tcp_options_are_no_payload) {
  const auto p = read(ethernet(tcp_packet(client, server, {.payload = 3, .options = 12})));
  ASSERT_TRUE(p);
  EXPECT_TRUE(p->tcp.has_options);
  EXPECT_EQ(p->tcp.length, 3U);
}

TEST(decode, ipv4_options_are_skipped) {
  const auto p = read(ethernet(tcp_packet(client, server, hello, {.options = 8})));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->tcp.sequence, 1000U);
  EXPECT_EQ(p->tcp.length, 5U);
}

TEST(decode, ethernet_padding_is_no_payload) {
  frame f = ethernet(tcp_packet(client, server, {}));
  put_zeros(f, 6);
  const auto p = decode(f, link::ethernet, 1, {});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->tcp.length, 0U);
  EXPECT_TRUE(p->tcp.payload.empty());
}

TEST(decode, a_cut_payload_keeps_its_length) {
  frame f = ethernet(tcp_packet(client, server, {.payload = 1000}));
  f.resize(f.size() - 990);
  const auto p = decode(f, link::ethernet, 1, {});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->tcp.length, 1000U);
  EXPECT_EQ(p->tcp.payload.size(), 10U);
}

TEST(decode, total_length_zero_takes_the_frames) {
  const auto p = read(ethernet(tcp_packet(client, server, {.payload = 2000}, {.total_length = 0})));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->tcp.length, 2000U);
}

TEST(decode, vlan_tags_in_any_number) {
  frame inner;
  put16(inner, 1);
  put16(inner, 0x8100);
  put16(inner, 2);
  put16(inner, 0x0800);
  put(inner, tcp_packet(client, server, hello));
  const auto p = read(ethernet(inner, 0x88A8));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->tcp.sequence, 1000U);
}

TEST(decode, a_frame_of_nothing_but_vlan_tags_is_given_up) {
  frame tags;
  for (int i = 0; i < 1000; ++i) put32(tags, 0x00018100U);
  EXPECT_EQ(read(ethernet(tags, 0x8100)).error(), decode_error::not_ip);
}

TEST(decode, a_pppoe_session) {
  frame inner;
  put16(inner, 0x1100);
  put32(inner, 0x00010000);
  put16(inner, 0x0021);
  put(inner, tcp_packet(client, server, hello));
  const auto p = read(ethernet(inner, 0x8864));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->tcp.sequence, 1000U);
}

TEST(decode, the_other_link_types) {
  const frame ip = tcp_packet(client, server, hello);
  frame null(4), sll(14), sll2;
  put(null, ip);
  put16(sll, 0x0800);
  put(sll, ip);
  put16(sll2, 0x0800);
  put_zeros(sll2, 18);
  put(sll2, ip);
  EXPECT_TRUE(read(ip, link::raw_ip));
  EXPECT_TRUE(read(null, link::bsd_loopback));
  EXPECT_TRUE(read(sll, link::linux_sll));
  EXPECT_TRUE(read(sll2, link::linux_sll2));
  EXPECT_EQ(read(ip, static_cast<link>(999)).error(), decode_error::not_ip);
}

TEST(decode, arp_is_not_ip) {
  EXPECT_EQ(read(ethernet(frame(28), 0x0806)).error(), decode_error::not_ip);
  EXPECT_EQ(read(frame(40, std::byte{0x50}), link::raw_ip).error(), decode_error::not_ip);
}

TEST(decode, udp_is_other) {
  const auto p = read(ethernet(ipv4(client.address, server.address, frame(8), {.protocol = 17})));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->what, packet::kind::other);
}

TEST(decode, only_the_first_fragment_has_a_segment) {
  const frame data(64, std::byte{0xFF});
  const auto later = read(ethernet(ipv4(client.address, server.address, data, {.fragment = 185})));
  ASSERT_TRUE(later);
  EXPECT_EQ(later->what, packet::kind::other);
  const auto first = read(ethernet(tcp_packet(client, server, hello, {.fragment = 0x2000})));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->what, packet::kind::tcp);
}

// ---- IPv6 extension headers ----------------------------------------------------

/// An extension header of `size` bytes whose successor is `next`.
frame extension(unsigned next, unsigned length_field, std::size_t size, const frame& inside) {
  frame f;
  put8(f, next);
  put8(f, length_field);
  put_zeros(f, size - 2);
  put(f, inside);
  return f;
}

TEST(decode, ipv6_extension_headers_are_skipped) {
  const frame tcp = hello.bytes(client_v6.port, server_v6.port);
  const frame authentication = extension(6, 4, 24, tcp);
  const frame options = extension(51, 1, 16, authentication);
  const frame hop_by_hop = extension(60, 0, 8, options);
  const auto p = read(ethernet(ipv6(client_v6.address, server_v6.address, hop_by_hop, 0)));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->what, packet::kind::tcp);
  EXPECT_EQ(p->tcp.sequence, 1000U);
  EXPECT_EQ(p->tcp.length, 5U);
}

TEST(decode, an_ipv6_fragment_that_is_not_the_first_is_other) {
  frame f = extension(6, 0, 8, hello.bytes(1, 2));
  f[3] = std::byte{0x08};
  const auto p = read(ethernet(ipv6(client_v6.address, server_v6.address, f, 44)));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->what, packet::kind::other);
}

TEST(decode, an_extension_header_longer_than_its_packet_is_a_bad_length) {
  const frame f = extension(6, 200, 8, hello.bytes(1, 2));
  EXPECT_EQ(read(ethernet(ipv6(client_v6.address, server_v6.address, f, 0))).error(),
            decode_error::bad_length);
}

// ---- lengths that contradict ---------------------------------------------------

TEST(decode, an_ip_header_shorter_than_twenty_bytes_is_a_bad_length) {
  frame f = tcp_packet(client, server, hello);
  f[0] = std::byte{0x44};
  EXPECT_EQ(read(f, link::raw_ip).error(), decode_error::bad_length);
}

TEST(decode, a_total_length_inside_the_header_is_a_bad_length) {
  EXPECT_EQ(read(tcp_packet(client, server, hello, {.total_length = 19}), link::raw_ip).error(),
            decode_error::bad_length);
}

TEST(decode, a_tcp_header_longer_than_its_packet_is_a_bad_length) {
  frame f = tcp_packet(client, server, {});
  f[20 + 12] = std::byte{0xF0};
  EXPECT_EQ(read(f, link::raw_ip).error(), decode_error::bad_length);
  f[20 + 12] = std::byte{0x40};
  EXPECT_EQ(read(f, link::raw_ip).error(), decode_error::bad_length);
}

// ---- ICMP ----------------------------------------------------------------------

TEST(decode, an_icmp_error_quotes_a_segment) {
  const frame quoted = tcp_packet(client, server, hello);
  const auto p = read(ethernet(icmp_packet(a_router, client.address, 1, quoted, 28)));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->what, packet::kind::icmp);
  EXPECT_EQ(p->icmp, unreachable::host);
  EXPECT_EQ(p->source, a_router);
  EXPECT_EQ(p->destination, client.address);
  EXPECT_EQ(p->tcp.source, client);
  EXPECT_EQ(p->tcp.destination, server);
  EXPECT_EQ(p->tcp.sequence, 1000U);
}

TEST(decode, an_icmpv6_error_quotes_a_segment) {
  const frame quoted = tcp_packet(client_v6, server_v6, hello);
  const auto p = read(ethernet(icmp_packet(address("fd00::99"), client_v6.address, 0, quoted)));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->what, packet::kind::icmp);
  EXPECT_EQ(p->icmp, unreachable::net);
  EXPECT_EQ(p->tcp.source, client_v6);
}

TEST(decode, icmp_codes_sort_as_linux_sorts_them) {
  const auto meaning = [](const endpoint& from, const endpoint& to, const ip_address& router, unsigned code) {
    return read(ethernet(icmp_packet(router, from.address, code, tcp_packet(from, to, hello))))->icmp;
  };
  const auto v4 = [&](unsigned code) { return meaning(client, server, a_router, code); };
  const auto v6 = [&](unsigned code) { return meaning(client_v6, server_v6, address("fd00::99"), code); };
  for (const unsigned code : {0U, 6U, 9U, 11U}) EXPECT_EQ(v4(code), unreachable::net) << code;
  for (const unsigned code : {1U, 7U, 12U}) EXPECT_EQ(v4(code), unreachable::host) << code;
  EXPECT_EQ(v4(3), unreachable::port);
  for (const unsigned code : {10U, 13U}) EXPECT_EQ(v4(code), unreachable::admin_prohibited) << code;
  for (const unsigned code : {2U, 4U, 200U}) EXPECT_EQ(v4(code), unreachable::other) << code;
  EXPECT_EQ(v6(0), unreachable::net);
  EXPECT_EQ(v6(1), unreachable::admin_prohibited);
  EXPECT_EQ(v6(3), unreachable::host);
  EXPECT_EQ(v6(4), unreachable::port);
}

TEST(decode, an_icmp_error_about_udp_or_an_echo_is_other) {
  const frame udp = ipv4(client.address, server.address, frame(8), {.protocol = 17});
  EXPECT_EQ(read(ethernet(icmp_packet(a_router, client.address, 1, udp)))->what, packet::kind::other);
  EXPECT_EQ(read(ethernet(ipv4(a_router, client.address, frame(8), {.protocol = 1})))->what,
            packet::kind::other);
}

TEST(decode, a_quote_too_short_for_ports_is_other_and_a_cut_one_truncated) {
  const frame quoted = tcp_packet(client, server, hello);
  EXPECT_EQ(read(icmp_packet(a_router, client.address, 1, quoted, 27), link::raw_ip)->what,
            packet::kind::other);
  frame cut = icmp_packet(a_router, client.address, 1, quoted, 28);
  cut.pop_back();
  EXPECT_EQ(read(cut, link::raw_ip).error(), decode_error::truncated);
}

// ---- hostile bytes -------------------------------------------------------------

std::vector<frame> valid_frames() {
  frame tagged;
  put16(tagged, 5);
  put16(tagged, 0x86DD);
  put(tagged, tcp_packet(client_v6, server_v6, hello));
  const frame extended = extension(60, 0, 8, extension(6, 1, 16, hello.bytes(1, 2)));
  return {
      ethernet(tcp_packet(client, server, {.flags = syn, .options = 20})),
      ethernet(tcp_packet(client, server, hello, {.options = 12})),
      ethernet(tagged, 0x8100),
      ethernet(ipv6(client_v6.address, server_v6.address, extended, 0)),
      ethernet(icmp_packet(a_router, client.address, 1, tcp_packet(client, server, hello), 28)),
      ethernet(icmp_packet(address("fd00::99"), client_v6.address, 3, tcp_packet(client_v6, server_v6, hello),
                           48)),
  };
}

TEST(decode, a_frame_cut_inside_a_header_is_truncated_at_every_length) {
  for (const frame& whole : valid_frames()) {
    const auto p = read(whole);
    ASSERT_TRUE(p);
    const std::size_t headers = whole.size() - p->tcp.length;
    for (std::size_t size = 0; size < headers; ++size) {
      const auto cut = read(frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      const bool only_options = cut && cut->what == packet::kind::tcp && size + 20 >= headers;
      if (only_options) continue;
      ASSERT_FALSE(cut) << size << " of " << headers;
      EXPECT_EQ(cut.error(), decode_error::truncated) << size << " of " << headers;
    }
    for (std::size_t size = headers; size <= whole.size(); ++size)
      EXPECT_TRUE(read(frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  }
}

TEST(decode, the_captured_payload_lies_inside_the_frame_whatever_the_bytes) {
  std::mt19937 random{20240607};
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  for (const frame& whole : valid_frames()) {
    for (int round = 0; round < 20000; ++round) {
      frame f = whole;
      for (std::size_t change = below(4) + 1; change > 0; --change)
        f[below(f.size())] = static_cast<std::byte>(random());
      f.resize(below(4) == 0 ? below(f.size()) : f.size());
      f.shrink_to_fit();
      const auto p = decode(f, link::ethernet, 1, {});
      if (!p || p->tcp.payload.empty()) continue;
      ASSERT_GE(p->tcp.payload.data(), f.data());
      ASSERT_LE(p->tcp.payload.data() + p->tcp.payload.size(), f.data() + f.size());
      ASSERT_LE(p->tcp.payload.size(), p->tcp.length);
    }
  }
}

TEST(decode, every_error_has_its_own_words) {
  EXPECT_NE(to_string(decode_error::truncated), to_string(decode_error::bad_length));
  EXPECT_NE(to_string(decode_error::not_ip), "?");
}

}  // namespace
}  // namespace halfopen::trace
