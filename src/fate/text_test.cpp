#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

using namespace std::chrono_literals;

TEST(to_string, is_one_line_for_a_log) {
  fate f;
  f.how = ending::peer_reset;
  f.or_else = ending::peer_rebooted;
  f.when = phase::awaiting_reply;
  f.error = ECONNRESET;
  EXPECT_EQ(to_string(f),
            "peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET (Connection reset by peer); "
            "retry: unknown");
  EXPECT_EQ(to_string(diagnose(-1, operation::read, 0)),
            "peer_closed while awaiting_reply: read: end-of-file; retry: unknown");
  EXPECT_EQ(to_string(fate{}), "completed while idle: read; retry: unknown");
}

TEST(to_string, says_errno_and_detail) {
  fate f;
  f.how = ending::net_unreachable;
  f.during = operation::connect;
  f.when = phase::connecting;
  f.error = ENETUNREACH;
  f.detail = "this host has no route to it";
  f.again = retry::safe;
  EXPECT_EQ(
      to_string(f),
      "net_unreachable while connecting: connect: ENETUNREACH (Network is unreachable; this host has no "
      "route to it); retry: safe");
  f.error = 4095;
  EXPECT_EQ(
      to_string(f),
      "net_unreachable while connecting: connect: errno 4095 (this host has no route to it); retry: safe");
}

TEST(explain, is_one_sentence_with_its_grounds) {
  fate f;
  f.how = ending::peer_vanished;
  f.when = phase::awaiting_reply;
  f.error = ETIMEDOUT;
  f.seen = evidence{.last_heard = 3210ms, .unacknowledged = 1, .retransmissions = 6};
  EXPECT_EQ(
      explain(f),
      "While a reply was awaited, the peer's host no longer answers (read: ETIMEDOUT (Connection timed out), "
      "last heard 3.2 s before, 1 byte unacknowledged, 6 retransmissions); the peer may have acted on the "
      "request, so send it again only if twice does no harm.");
}

TEST(explain, does_not_blame_the_machine_for_what_has_no_errno) {
  fate f;
  f.how = ending::local_failure;
  f.when = phase::connecting;
  f.during = operation::connect;
  f.again = retry::safe;
  f.detail = "the peer's certificate is not accepted: hostname mismatch";
  EXPECT_EQ(explain(f),
            "This side did not go on (connect: the peer's certificate is not accepted: hostname mismatch); "
            "it is safe "
            "to try again, for the peer got no byte of a request.");
  f.error = EMFILE;
  f.detail = {};
  EXPECT_TRUE(explain(f).starts_with("This host itself failed (connect: EMFILE"));
}

TEST(explain, names_the_router) {
  fate f;
  f.how = ending::host_unreachable;
  f.when = phase::connecting;
  f.during = operation::connect;
  f.error = EHOSTUNREACH;
  f.again = retry::safe;
  f.seen = evidence{.icmp = icmp_report{{10, 0, 0, 254}, false, 3, 1}};
  EXPECT_EQ(
      explain(f),
      "While the connection was being opened, the peer's host cannot be reached (connect: EHOSTUNREACH (No "
      "route to host), ICMP type 3 code 1 from 10.0.0.254); it is safe to try again, for the peer got no "
      "byte of a request.");
}

TEST(explain, has_a_text_for_each_ending) {
  std::set<std::string_view> names;
  for (const ending e : all_endings) {
    const explanation x = explain(e);
    EXPECT_EQ(x.name, to_string(e));
    for (const std::string_view text : {x.means, x.causes, x.advice}) {
      EXPECT_GT(text.size(), 10u) << x.name;
      EXPECT_TRUE(text.ends_with('.')) << x.name << ": " << text;
      EXPECT_EQ(text.find("  "), std::string_view::npos) << x.name;
    }
    EXPECT_LT(x.means.find('.'), 56u) << x.name << ": the first sentence stands alone in lists";
    names.insert(x.name);
  }
  EXPECT_EQ(names.size(), all_endings.size());
  EXPECT_EQ(explain(static_cast<ending>(99)).name, "?");
}

TEST(icmp_report, knows_both_families) {
  EXPECT_EQ(icmp_report{}.router_text(), "?");
  EXPECT_EQ((icmp_report{{192, 0, 2, 1}, false, 3, 0}).router_text(), "192.0.2.1");
  EXPECT_EQ((icmp_report{{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, true, 1, 3}).router_text(),
            "fd00::1");
}

}  // namespace
}  // namespace halfopen
