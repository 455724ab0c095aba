#include "fate/make_fate.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "fate/emulation.hpp"
#include "fate/loopback.hpp"

namespace halfopen {
namespace {

constexpr standing reading{operation::read, phase::receiving_reply, retry::unknown};

void stands_at(const fate& f, const standing& at) {
  EXPECT_EQ(f.during, at.during);
  EXPECT_EQ(f.when, at.when);
  EXPECT_EQ(f.again, at.again);
  EXPECT_EQ(f.or_else, std::nullopt);
}

TEST(make_fate, of_an_error_has_the_errnos_ending_and_its_owners_retry) {
  const fate f = of_error({operation::write, phase::sending, retry::safe}, EPIPE);
  EXPECT_EQ(f.how, ending::broken_pipe);
  EXPECT_EQ(f.error, EPIPE);
  stands_at(f, {operation::write, phase::sending, retry::safe});
  EXPECT_EQ(of_error(opening(), ECONNREFUSED).how, ending::refused);
  EXPECT_EQ(of_error(reading, ECONNRESET).or_else, ending::peer_rebooted);
}

TEST(make_fate, an_end_of_file_is_completion_where_nothing_is_owed_and_only_there) {
  const fate in_time = of_error({operation::read, phase::idle, retry::pointless}, 0);
  EXPECT_EQ(in_time.how, ending::completed);
  EXPECT_EQ(in_time.again, retry::pointless);
  EXPECT_EQ(in_time.detail, "end-of-file");
  EXPECT_EQ(of_error(reading, 0).how, ending::peer_closed);
  EXPECT_EQ(of_error(reading, 0).detail, "end-of-file");
  EXPECT_EQ(of_error({operation::read, phase::idle, retry::safe}, ECONNRESET).how, ending::peer_reset);
}

TEST(make_fate, our_own_doing_is_not_an_end_of_file_though_it_has_no_errno_either) {
  for (const standing& at :
       {reading, opening(), accepting, {operation::write, phase::sending, retry::safe}}) {
    const fate late = of_deadline(at);
    EXPECT_EQ(late.how, ending::deadline_passed);
    EXPECT_EQ(late.error, 0);
    EXPECT_EQ(late.detail, "the time limit passed");
    stands_at(late, at);
    const fate stopped = of_stop(at);
    EXPECT_EQ(stopped.how, ending::shut_down);
    EXPECT_EQ(stopped.error, 0);
    EXPECT_EQ(stopped.detail, "told to stop");
    stands_at(stopped, at);
  }
  EXPECT_EQ(of_deadline(opening(), "no name").detail, "no name");
  EXPECT_EQ(to_string(of_stop(reading)),
            "shut_down while receiving_reply: read: told to stop; retry: unknown");
}

TEST(make_fate, an_end_of_file_is_told_from_what_has_no_errno_either) {
  const standing idle{operation::read, phase::idle, retry::safe};
  EXPECT_TRUE(is_end_of_file(of_error(reading, 0)));
  EXPECT_TRUE(is_end_of_file(of_error(idle, 0)));
  EXPECT_TRUE(is_end_of_file(before_request(of_error(idle, 0))));
  for (const standing& at : {reading, idle, opening(), accepting})
    for (const fate& ours : {of_deadline(at), of_stop(at), of_malformed(at, "x"), of_local_failure(at, "x"),
                             of_error(at, ECONNRESET)})
      EXPECT_FALSE(is_end_of_file(ours)) << to_string(ours);
  EXPECT_FALSE(is_end_of_file(of_error(accepting, 0)));
}

TEST(make_fate, malformed_bytes_are_pointless_to_ask_for_again) {
  const fate f = of_malformed({operation::read, phase::awaiting_reply, retry::safe}, "a NUL byte");
  EXPECT_EQ(f.how, ending::malformed);
  EXPECT_EQ(f.detail, "a NUL byte");
  stands_at(f, {operation::read, phase::awaiting_reply, retry::pointless});
}

TEST(make_fate, a_local_failure_is_this_hosts_whatever_the_errno_says_of_a_peer) {
  const fate f = of_local_failure(accepting, "bind", ECONNRESET);
  EXPECT_EQ(f.how, ending::local_failure);
  EXPECT_EQ(f.error, ECONNRESET);
  EXPECT_EQ(f.detail, "bind");
  stands_at(f, accepting);
  EXPECT_EQ(of_local_failure({}, "threw").error, 0);
}

TEST(make_fate, of_completion_has_its_own_words) {
  const fate f = of_completion({.again = retry::pointless}, "all is answered");
  EXPECT_EQ(f.how, ending::completed);
  EXPECT_EQ(f.detail, "all is answered");
  stands_at(f, {operation::read, phase::idle, retry::pointless});
}

TEST(make_fate, the_kernel_is_asked_and_errno_stays) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  const loopback::connection c;
  errno = EPERM;
  EXPECT_TRUE(of_deadline({.fd = c.client.get()}).seen->still_open);
  EXPECT_TRUE(of_malformed({.fd = c.client.get()}, {}).seen->still_open);
  EXPECT_FALSE(of_deadline({}).seen->still_open);
  EXPECT_EQ(errno, EPERM);
}

TEST(make_fate, an_end_for_a_request_is_no_completion_where_a_reply_is_owed) {
  const fate idle_end = of_error({operation::read, phase::idle, retry::safe}, 0);
  EXPECT_EQ(for_request(idle_end, phase::idle, retry::pointless).how, ending::completed);
  const fate owed = for_request(idle_end, phase::awaiting_reply, retry::unknown);
  EXPECT_EQ(owed.how, ending::peer_closed);
  stands_at(owed, {operation::read, phase::awaiting_reply, retry::unknown});
}

TEST(make_fate, for_a_request_a_write_keeps_its_phase_and_malformed_bytes_their_retry) {
  const fate write = of_error({operation::write, phase::sending, retry::unknown}, EPIPE);
  stands_at(for_request(write, phase::idle, retry::safe), {operation::write, phase::sending, retry::safe});
  const fate bad = for_request(of_malformed(reading, "bad"), phase::idle, retry::safe);
  stands_at(bad, {operation::read, phase::idle, retry::pointless});
}

TEST(make_fate, before_the_first_request_nothing_was_asked) {
  const fate closed = before_request(of_error({operation::read, phase::idle, retry::pointless}, 0));
  EXPECT_EQ(closed.how, ending::peer_closed);
  EXPECT_EQ(closed.when, phase::connecting);
  EXPECT_EQ(closed.again, retry::safe);
  const fate broken = before_request(of_error({operation::write, phase::sending, retry::unknown}, EPIPE));
  EXPECT_EQ(broken.how, ending::broken_pipe);
  EXPECT_EQ(broken.when, phase::connecting);
  EXPECT_EQ(broken.again, retry::safe);
  EXPECT_EQ(before_request(of_malformed(reading, "x")).again, retry::pointless);
}

}  // namespace
}  // namespace halfopen
