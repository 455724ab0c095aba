#include "judge/decide/server.hpp"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <signal.h>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using source = hang_length::source;

void expect(const finding& f, verdict v, outcome o, basis b) {
  EXPECT_EQ(f.verdict, v);
  EXPECT_EQ(f.did, o);
  EXPECT_EQ(f.rests_on, b);
}

TEST(server_verdict, an_end_is_an_event_and_a_signal_a_crash) {
  expect(decide_end({.code = 1, .signal = 0, .when = {}}), verdict::fail, outcome::ended, basis::event);
  expect(decide_end({.code = 0, .signal = SIGPIPE, .when = {}}), verdict::fail, outcome::crashed,
         basis::event);
  expect(decide_end({.code = 128 + SIGSEGV, .signal = 0, .when = {}}), verdict::fail, outcome::crashed,
         basis::event);
}

TEST(server_verdict, the_next_client_is_answered_or_not) {
  other_client seen;
  expect(decide(seen), verdict::pass, outcome::serves_on, basis::event);
  seen.got = answer::another;
  expect(decide(seen), verdict::fail, outcome::wrong_answer, basis::time);
  seen.came = false;  // nobody asked, so nobody can have been answered
  expect(decide(seen), verdict::inconclusive, outcome::wrong_answer, basis::event);
  EXPECT_EQ(decide(seen).why, obstacle::lab_failed);
  seen.came = true;
  seen.unpredictable = true;
  expect(decide(seen), verdict::inconclusive, outcome::wrong_answer, basis::event);
  seen.got = answer::none;
  expect(decide(seen), verdict::fail, outcome::no_answer, basis::time);
  seen.server_ended = lab::exit_status{.code = 3, .signal = 0, .when = {}};
  expect(decide(seen), verdict::fail, outcome::ended, basis::event);
}

held_sockets held_in(int state) {
  held_sockets s;
  s.state = state;
  return s;
}

TEST(server_verdict, who_was_told_and_does_not_close_fails) {
  for (const int state : {TCP_CLOSE_WAIT, TCP_CLOSE}) {
    held_sockets s = held_in(state);
    s.wait = wait_length{{}, 30s};  // of no interest
    expect(decide(s), verdict::fail, outcome::holds, basis::time);
    EXPECT_EQ(decide(s).length, hang_length{});
  }
}

TEST(server_verdict, with_the_real_clock_the_length_is_computed_where_it_can_be) {
  held_sockets s = held_in(TCP_ESTABLISHED);
  expect(decide(s), verdict::warn, outcome::holds, basis::time);
  EXPECT_EQ(decide(s).length.how, source::unknown);
  s.endless = true;
  expect(decide(s), verdict::warn, outcome::holds, basis::time);  // its socket could not be looked at
  s.wait = wait_length{};
  expect(decide(s), verdict::fail, outcome::holds, basis::time);
  EXPECT_EQ(decide(s).length, (hang_length{source::computed, std::nullopt}));
  s.endless = false;
  expect(decide(s), verdict::warn, outcome::holds, basis::time);
  s.wait = wait_length{{}, 924s};
  expect(decide(s), verdict::warn, outcome::holds, basis::time);
  EXPECT_EQ(decide(s).length, (hang_length{source::computed, 924s}));
}

TEST(server_verdict, under_the_virtual_clock_it_is_measured) {
  held_sockets s = held_in(TCP_ESTABLISHED);
  s.watched = 900s;
  s.released = true;
  expect(decide(s), verdict::warn, outcome::releases_late, basis::time);
  EXPECT_EQ(decide(s).length, (hang_length{source::measured, 900s}));
  s.released = false;
  s.to_the_end = true;
  expect(decide(s), verdict::fail, outcome::holds, basis::time);
  EXPECT_EQ(decide(s).length, (hang_length{source::measured, std::nullopt, 900s}));
  s.to_the_end = false;
  s.wait = wait_length{{}, 7200s};
  expect(decide(s), verdict::warn, outcome::releases_late, basis::time);
  EXPECT_EQ(decide(s).length, (hang_length{source::computed, 7200s}));
}

TEST(server_verdict, who_burns_the_processor_spins_and_if_nobody_can_tell_nothing_is_said) {
  expect(decide(load_seen{0.49}), verdict::pass, outcome::serves_on, basis::event);
  expect(decide(load_seen{too_busy}), verdict::fail, outcome::spins, basis::processor);
  expect(decide(load_seen{}), verdict::inconclusive, outcome::spins, basis::processor);
  EXPECT_EQ(decide(load_seen{}).why, obstacle::too_busy);
}

TEST(server_verdict, a_process_that_dies_fails_and_by_sigpipe_it_is_warned_of) {
  expect(decide(death_seen{SIGSEGV, false}), verdict::fail, outcome::process_crashed, basis::event);
  expect(decide(death_seen{SIGSEGV, true}), verdict::fail, outcome::process_crashed, basis::event);
  expect(decide(death_seen{SIGPIPE, false}), verdict::warn, outcome::process_crashed, basis::event);
  EXPECT_EQ(decide(death_seen{SIGPIPE, true}).verdict, verdict::pass) << "curl | head";
}

TEST(server_verdict, a_request_that_met_the_end_of_its_connection_is_lost) {
  request_at_stop seen{.number = 12, .closed_in = 14};
  expect(decide(seen), verdict::fail, outcome::not_as_asked, basis::event);
  seen.answered = true;  // it cannot be: what is said is another request's
  expect(decide(seen), verdict::fail, outcome::not_as_asked, basis::event);
  seen.told = true;
  expect(decide(seen), verdict::pass, outcome::does_as_asked, basis::event);
}

TEST(server_verdict, a_request_that_the_server_waited_for_is_answered_or_not) {
  request_at_stop seen{.number = 12};
  expect(decide(seen), verdict::fail, outcome::not_as_asked, basis::time);
  seen.unpredictable = true;
  expect(decide(seen), verdict::inconclusive, outcome::not_as_asked, basis::event);
  EXPECT_EQ(decide(seen).why, obstacle::varies);
  seen.answered = true;
  expect(decide(seen), verdict::pass, outcome::does_as_asked, basis::event);
}

}  // namespace
}  // namespace halfopen::judge
