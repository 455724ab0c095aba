// What a box between the hosts does to their connection.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/middlebox.hpp"
#include "lab/test_pair.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

std::string name_of(const testing::TestParamInfo<ip_version>& p) {
  return p.param == ip_version::v4 ? "v4" : "v6";
}

/// What is recorded, but for the frames.
struct note_book {
  struct entry {
    std::uint64_t number;
    std::size_t sender;
    std::vector<std::string> notes;
  };
  std::vector<entry> entries;
  auto recorder() {
    return [this](const record& r) { entries.push_back({r.number, r.sender, r.notes}); };
  }
};

class middlebox_forgets : public testing::TestWithParam<ip_version> {
 protected:
  note_book book;
  experiment lab{{.hosts = {"client", "server"}, .ip = GetParam(), .recorder = book.recorder()}};
  host& client = lab.at("client");
  host& server = lab.at("server");
};
INSTANTIATE_TEST_SUITE_P(ip, middlebox_forgets, testing::Values(ip_version::v4, ip_version::v6), name_of);

TEST_P(middlebox_forgets, and_answers_with_the_bare_reset_of_a_kernel_without_such_a_socket) {
  connected_pair pair(lab);
  ASSERT_EQ(::send(pair.client.get(), "hello", 5, MSG_NOSIGNAL), 5);
  ASSERT_TRUE(lab.before(from(client) && payload()));
  const auto acknowledged = lab.current().tcp.acknowledgement;
  lab.reset_current();
  ASSERT_TRUE(lab.after(to(client) && reset()));
  EXPECT_EQ(lab.current().source, server.address());
  EXPECT_EQ(lab.current().tcp.sequence, acknowledged);
  EXPECT_FALSE(lab.current().tcp.has_any(trace::ack));
  const auto& said = lab.current_connection()->of(trace::side::responder);
  EXPECT_EQ(said.rst_kind, trace::reset_kind::no_socket);
  char byte;
  EXPECT_EQ(::recv(pair.client.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
  lab.run_for(20ms);
  EXPECT_EQ(::recv(pair.accepted.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN);  // the other side knows nothing of it
}

/// All that a capture shows of a packet but where and when.
auto looks(const trace::packet& p) {
  return std::tuple(p.source, p.destination, p.ttl, p.ip_id, p.tcp.flags, p.tcp.window, p.tcp.has_options,
                    p.tcp.length, p.tcp.acknowledgement);
}

TEST_P(middlebox_forgets, and_its_reset_looks_as_a_reborn_hosts) {
  const connected_pair first(lab, 7);
  const connected_pair second(lab, 8);
  ASSERT_EQ(::send(first.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  ASSERT_TRUE(lab.before(from(client) && payload()));
  lab.reset_current();
  ASSERT_TRUE(lab.after(to(client) && reset()));
  const auto middleboxs = lab.current();
  reboot(server);
  ASSERT_EQ(::send(second.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  ASSERT_TRUE(lab.after(from(server) && reset()));
  EXPECT_EQ(looks(middleboxs), looks(lab.current()));
}

TEST_P(middlebox_forgets, and_the_evidence_says_who_spoke) {
  connected_pair pair(lab);
  ASSERT_EQ(::send(pair.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  ASSERT_TRUE(lab.before(from(client) && payload()));
  lab.reset_current();
  ASSERT_TRUE(lab.after(to(client) && reset()));
  lab.end_recording();
  ASSERT_GE(book.entries.size(), 2U);
  const auto& lost = book.entries[book.entries.size() - 2];
  const auto& reset = book.entries.back();
  EXPECT_EQ(lost.notes, std::vector<std::string>{"lost: a middlebox has forgotten this connection"});
  EXPECT_EQ(reset.notes, std::vector<std::string>{"this RST is a middlebox's, in the name of the server"});
  EXPECT_EQ(reset.sender, 2U);  // neither host
}

TEST_P(middlebox_forgets, before_the_connection_is_there_it_is_refused) {
  const unique_fd fd = make_socket(client);
  const socket_address there(server.address(), 7);
  ::connect(fd.get(), there.get(), there.size());
  ASSERT_TRUE(lab.before(syn()));
  const auto sequence = lab.current().tcp.sequence;
  lab.reset_current();
  ASSERT_TRUE(lab.after(to(client) && reset()));
  EXPECT_TRUE(lab.current().tcp.has(trace::ack));
  EXPECT_EQ(lab.current().tcp.acknowledgement, sequence + 1);
  EXPECT_EQ(lab.current().tcp.sequence, 0U);
  int why = 0;
  socklen_t size = sizeof why;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &why, &size);
  EXPECT_EQ(why, ECONNREFUSED);
}

TEST_P(middlebox_forgets, and_answers_the_server_too) {
  connected_pair pair(lab);
  pair.accepted.reset();
  ASSERT_TRUE(lab.before(from(server) && fin()));
  lab.reset_current();
  ASSERT_TRUE(lab.after(to(server) && reset()));
  EXPECT_EQ(lab.current().source, client.address());
  EXPECT_FALSE(lab.after(from(server), 400ms));  // its FIN is not repeated
}

TEST_P(middlebox_forgets, but_answers_no_reset_and_nothing_else_than_tcp) {
  EXPECT_THROW(lab.reset_current(), error);  // no packet at all
  connected_pair pair(lab);
  abort(client, std::move(pair.client));
  ASSERT_TRUE(lab.before(reset()));
  EXPECT_THROW(lab.reset_current(), error);
  make_unreachable(server, unreachable_kind::host);
  const unique_fd fd = make_socket(client);
  const socket_address there(server.address(), 7);
  ::connect(fd.get(), there.get(), there.size());
  ASSERT_TRUE(lab.before(icmp()));
  EXPECT_THROW(lab.reset_current(), error);
}

class clamped_mss : public testing::TestWithParam<ip_version> {
 protected:
  /// Bytes of TCP options and payload of each packet of each host.
  std::vector<std::pair<std::size_t, std::size_t>> segments;
  void look_at(const record& r) {
    const std::size_t ip_header = GetParam() == ip_version::v4 ? 20 : 40;
    constexpr std::size_t ethernet_header = 14, tcp_header = 20;
    segments.emplace_back(r.sender, r.frame.size() - ethernet_header - ip_header - tcp_header);
  }
  experiment lab{
      {.hosts = {"client", "server"}, .ip = GetParam(), .clamp_mss = 48, .recorder = [this](const record& r) {
         look_at(r);
       }}};
  host& client = lab.at("client");
  host& server = lab.at("server");
};
INSTANTIATE_TEST_SUITE_P(ip, clamped_mss, testing::Values(ip_version::v4, ip_version::v6), name_of);

TEST_P(clamped_mss, no_segment_is_larger_either_way) {
  connected_pair pair(lab);
  const std::string much(1000, 'x');
  ASSERT_EQ(::send(pair.client.get(), much.data(), much.size(), MSG_NOSIGNAL), 1000);
  ASSERT_TRUE(lab.after(acked(client, 1000)));
  ASSERT_EQ(::send(pair.accepted.get(), much.data(), much.size(), MSG_NOSIGNAL), 1000);
  ASSERT_TRUE(lab.after(acked(server, 1000)));
  lab.end_recording();
  std::size_t largest[2] = {};
  for (const auto& [sender, size] : segments) largest[sender] = std::max(largest[sender], size);
  EXPECT_EQ(largest[0], 48U);
  EXPECT_EQ(largest[1], 48U);
  char buffer[1000];
  EXPECT_EQ(::recv(pair.client.get(), buffer, sizeof buffer, 0), 1000);
}

/// A SYN with these options, by hand: a kernel would not put them so.
std::vector<std::byte> syn_with(const std::vector<int>& options) {
  std::vector<int> bytes(12, 2);
  bytes.insert(bytes.end(), {8, 0});  // IPv4
  bytes.insert(bytes.end(), {0x45, 0, 0, static_cast<int>(40 + options.size()), 0, 0, 0, 0, 64, 6, 0, 0});
  bytes.insert(bytes.end(), {10, 0, 0, 1, 10, 0, 0, 2});
  bytes.insert(bytes.end(), {0x80, 1, 0, 7, 1, 2, 3, 4, 0, 0, 0, 0});
  bytes.insert(bytes.end(), {static_cast<int>(5 + options.size() / 4) << 4, 2, 0xff, 0xff, 0, 0, 0, 0});
  bytes.insert(bytes.end(), options.begin(), options.end());
  std::vector<std::byte> frame;
  for (const int b : bytes) frame.push_back(static_cast<std::byte>(b));
  return frame;
}

/// The sum over the TCP header, in which the checksum is whatever it is. The pseudo
/// header is left out: it is the same before and after.
unsigned sum_of(std::span<const std::byte> frame) {
  unsigned sum = 0;
  for (std::size_t i = 34; i + 1 < frame.size(); i += 2)
    sum += std::to_integer<unsigned>(frame[i]) << 8 | std::to_integer<unsigned>(frame[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(clamping, keeps_the_checksum_wherever_the_option_is) {
  for (const auto& [options, at] : {std::pair{std::vector{2, 4, 5, 0xb4, 1, 1, 1, 0}, 56},
                                    {std::vector{1, 2, 4, 5, 0xb4, 1, 1, 0}, 57},
                                    {std::vector{3, 3, 7, 2, 4, 5, 0xb4, 0}, 59}}) {
    const auto before = syn_with(options);
    auto after = before;
    clamp_mss(after, 0x0123);
    EXPECT_EQ(after.at(static_cast<std::size_t>(at)), std::byte{0x01});
    EXPECT_EQ(after.at(static_cast<std::size_t>(at) + 1), std::byte{0x23});
    EXPECT_EQ(sum_of(after), sum_of(before));
  }
}

TEST(clamping, leaves_alone_what_offers_less_or_nothing) {
  for (const auto& options :
       {std::vector{2, 4, 1, 0, 1, 1, 1, 0}, {1, 1, 1, 1}, {0, 2, 4, 0xff}, {3, 0, 2, 0}}) {
    const auto before = syn_with(options);
    auto after = before;
    clamp_mss(after, 0x0123);
    EXPECT_EQ(after, before);
  }
}

TEST(clamping, leaves_payload_alone) {
  auto before = syn_with({});
  for (const int b : {2, 4, 5, 0xb4}) before.push_back(static_cast<std::byte>(b));
  auto after = before;
  clamp_mss(after, 100);
  EXPECT_EQ(after, before);
}

TEST(clamping, leaves_alone_what_is_no_syn) {
  auto before = syn_with({2, 4, 5, 0xb4});
  before[47] = std::byte{trace::ack};
  auto after = before;
  clamp_mss(after, 100);
  EXPECT_EQ(after, before);
}

TEST(clamping, reads_no_further_than_the_frame) {
  const auto whole = syn_with({1, 1, 1, 1, 2, 4, 5, 0xb4});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto longer = whole;
    clamp_mss(std::span(longer).first(size), 100);
    EXPECT_EQ(longer, whole) << size;
  }
}

}  // namespace
}  // namespace halfopen::lab
