// A segment that is cut at the cable, and what both kernels make of it.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <map>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/test_pair.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

class cable_cuts : public testing::TestWithParam<ip_version> {
 protected:
  std::map<std::uint64_t, std::vector<std::string>> notes;  // of the packets
  experiment lab{{.hosts = {"client", "server"}, .ip = GetParam(), .recorder = [this](const record& r) {
                    notes[r.number] = r.notes;
                  }}};
  host& client = lab.at("client");
  host& server = lab.at("server");
  connected_pair pair{lab};

  std::string received() const {
    char buffer[4096];
    const ssize_t n = ::recv(pair.client.get(), buffer, sizeof buffer, 0);
    return n < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(n));
  }
  void send(const std::string& text) const {
    ASSERT_EQ(::send(pair.accepted.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
};
INSTANTIATE_TEST_SUITE_P(ip, cable_cuts, testing::Values(ip_version::v4, ip_version::v6),
                         [](const auto& p) { return p.param == ip_version::v4 ? "v4" : "v6"; });

TEST_P(cable_cuts, a_segment_and_its_first_bytes_arrive) {
  send("0123456789");
  ASSERT_TRUE(lab.before(from(server) && payload()));
  lab.cut_current(4);
  ASSERT_TRUE(lab.before(from(client)));
  EXPECT_EQ(received(), "0123");
  EXPECT_EQ(lab.current_connection()->of(trace::side::responder).acked, 4U);
  EXPECT_EQ(lab.current_connection()->of(trace::side::responder).bytes, 10U);  // as it was sent
  ASSERT_TRUE(lab.before(retransmission(server)));
  EXPECT_EQ(lab.current().tcp.length, 6U);
  ASSERT_TRUE(lab.after(acked(server, 10)));
  EXPECT_EQ(received(), "456789");
}

TEST_P(cable_cuts, a_segment_anywhere_even_twice) {
  const std::string text = "an odd number of bytes!";
  std::size_t rounds = 0;
  for (const std::size_t at : {std::size_t{1}, std::size_t{2}, std::size_t{10}, text.size() - 1}) {
    send(text);
    ASSERT_TRUE(lab.before(from(server) && payload()));
    lab.cut_current(at);
    if (at == 10) {
      ASSERT_TRUE(lab.before(retransmission(server)));
      lab.cut_current(1);
      ASSERT_TRUE(lab.before(from(client)));
      EXPECT_EQ(received(), text.substr(0, 11));
    } else {
      ASSERT_TRUE(lab.before(from(client)));
      EXPECT_EQ(received(), text.substr(0, at));
    }
    ASSERT_TRUE(lab.after(acked(server, ++rounds * text.size())));
    EXPECT_EQ(received(), text.substr(at == 10 ? 11 : at));
  }
}

TEST_P(cable_cuts, the_fin_off_a_segment) {
  const int on = 1;
  ::setsockopt(pair.accepted.get(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);  // one segment for both
  send("0123456789");
  pair.accepted.reset();
  ASSERT_TRUE(lab.before(fin() && payload()));
  lab.cut_current(9);
  ASSERT_TRUE(lab.before(from(client)));
  EXPECT_EQ(received(), "012345678");
  EXPECT_EQ(received(), "nothing");  // no end either
  ASSERT_TRUE(lab.after(fin_acked(server)));
  EXPECT_EQ(received(), "9");
  EXPECT_EQ(received(), "");
}

TEST_P(cable_cuts, all_of_a_segment_but_what_it_acknowledges) {
  send("0123456789");
  ASSERT_TRUE(lab.before(from(server) && payload()));
  lab.cut_current(0);
  lab.lose(from(server) && payload());
  lab.run_for(50ms);
  EXPECT_EQ(received(), "nothing");
  EXPECT_EQ(lab.traffic().connections().front()->of(trace::side::responder).acked, 0U);
  lab.release();
  ASSERT_TRUE(lab.after(acked(server, 10)));
  EXPECT_EQ(received(), "0123456789");
}

TEST_P(cable_cuts, a_segment_whose_rest_comes_when_it_is_told_to) {
  send("0123456789");
  ASSERT_TRUE(lab.before(from(server) && payload()));
  lab.cut_current(4, rest::held);
  lab.run_for(300ms);  // its sender repeats it, which does not help
  EXPECT_EQ(received(), "0123");
  const trace::endpoint sender = lab.traffic().connections().front()->responder;
  EXPECT_EQ(lab.deliver(sender, 1), 1U);
  ASSERT_TRUE(lab.after(from(client) && acked(server, 5)));
  EXPECT_EQ(received(), "4");
  EXPECT_EQ(lab.deliver(sender, 100), 5U);
  ASSERT_TRUE(lab.after(from(client) && acked(server, 10)));
  EXPECT_EQ(received(), "56789");
  EXPECT_EQ(lab.deliver(sender, 1), 0U);
}

TEST_P(cable_cuts, what_is_held_byte_by_byte) {
  lab.hold(from(server) && payload());
  send("01234");
  send("56789");
  ASSERT_TRUE(lab.after(from(server) && said(server, 10)));
  const trace::endpoint sender = lab.current_connection()->responder;
  for (std::size_t i = 1; i <= 10; ++i) {
    EXPECT_EQ(lab.deliver(sender, 1), 1U);
    ASSERT_TRUE(lab.after(from(client) && acked(server, i)));
    EXPECT_EQ(received(), std::string(1, static_cast<char>('0' + i - 1)));
  }
}

TEST_P(cable_cuts, and_the_evidence_says_so) {
  send("0123456789");
  ASSERT_TRUE(lab.before(from(server) && payload()));
  const auto number = lab.current().number;
  lab.cut_current(1);
  ASSERT_TRUE(lab.before(from(client)));
  lab.end_recording();
  EXPECT_EQ(notes[number], std::vector<std::string>{"cut by the cable to the first 1 of its 10 bytes"});
}

TEST_P(cable_cuts, but_what_is_lost_anyway_is_lost_whole) {
  send("0123456789");
  ASSERT_TRUE(lab.before(from(server) && payload()));
  lab.cut_current(4);
  crash(server);
  EXPECT_FALSE(lab.after(from(client), 50ms));
  EXPECT_EQ(received(), "nothing");
}

TEST_P(cable_cuts, but_nothing_without_such_a_part) {
  lab.run_for(10ms);
  EXPECT_THROW(lab.cut_current(1), error);  // no packet at all
  send("0123456789");
  ASSERT_TRUE(lab.before(from(server) && payload()));
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{11}})
    EXPECT_THROW(lab.cut_current(bytes), error);
  ASSERT_TRUE(lab.before(from(client)));  // the packet went its way
  EXPECT_EQ(received(), "0123456789");
  EXPECT_THROW(lab.cut_current(1), error);  // an ACK has no bytes
}

}  // namespace
}  // namespace halfopen::lab
