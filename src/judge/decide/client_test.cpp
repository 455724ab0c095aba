#include "judge/decide/client.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <array>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using source = hang_length::source;

client_seen ended(int code, int signal = 0) {
  client_seen s;
  s.ended = lab::exit_status{code, signal, {}};
  s.in_time = true;
  s.after = 30ms;
  return s;
}

client_seen still_running() {
  client_seen s;
  s.limit = 20s;
  s.has_socket = true;
  s.wait = wait_length{};
  return s;
}

void expect(const client_seen& seen, verdict v, outcome o, basis b) {
  const finding f = decide(seen);
  EXPECT_EQ(f.verdict, v);
  EXPECT_EQ(f.did, o);
  EXPECT_EQ(f.rests_on, b);
}

TEST(client_verdict, the_usual_output_is_a_pass) {
  client_seen s = ended(0);
  s.usual_output = true;
  expect(s, verdict::pass, outcome::unaffected, basis::event);
  s.anew = true;
  expect(s, verdict::pass, outcome::recovered, basis::event);
  s.asked_twice = {12, 40};
  expect(s, verdict::warn, outcome::asks_twice, basis::event);
  s.once = true;
  expect(s, verdict::fail, outcome::asks_twice, basis::event);
  s.asked_twice.reset();
  expect(s, verdict::pass, outcome::recovered, basis::event);
}

TEST(client_verdict, an_exit_other_than_0_is_a_report) {
  expect(ended(3), verdict::pass, outcome::reported, basis::event);
}

TEST(client_verdict, a_report_with_nothing_in_its_way_fails_and_has_to_be_confirmed) {
  client_seen s = ended(3);
  s.must_succeed = true;
  expect(s, verdict::fail, outcome::reported, basis::time);
}

TEST(client_verdict, death_by_a_signal_is_an_event) {
  expect(ended(0, SIGPIPE), verdict::fail, outcome::crashed, basis::event);
  expect(ended(128 + SIGSEGV), verdict::fail, outcome::crashed, basis::event);  // told by a shell
  expect(ended(128 + SIGTERM), verdict::pass, outcome::reported, basis::event);
}

TEST(client_verdict, another_output_with_exit_0_is_a_false_success) {
  client_seen s = ended(0);
  expect(s, verdict::fail, outcome::false_success, basis::event);
  s.guessed = true;
  expect(s, verdict::inconclusive, outcome::false_success, basis::event);
  EXPECT_EQ(decide(s).why, obstacle::no_replay);
}

TEST(client_verdict, where_nobody_knows_the_usual_output_another_one_is_no_false_success) {
  client_seen s = ended(0);
  s.unpredictable = true;
  expect(s, verdict::inconclusive, outcome::false_success, basis::event);
  EXPECT_EQ(decide(s).why, obstacle::varies);
}

TEST(client_verdict, a_hang_has_a_length_and_who_says_so) {
  client_seen s = still_running();
  expect(s, verdict::fail, outcome::hangs, basis::time);
  EXPECT_EQ(decide(s).length, (hang_length{source::unknown, std::nullopt}));
  s.endless = false;
  EXPECT_EQ(decide(s).length, (hang_length{source::unknown, std::nullopt}));
  s.endless = true;
  EXPECT_EQ(decide(s).length, (hang_length{source::computed, std::nullopt}));
  s.wait->by_kernel = 30s;
  EXPECT_EQ(decide(s).length, (hang_length{source::computed, 30s}));
  s.watched_to = 3h;
  EXPECT_EQ(decide(s).length, (hang_length{source::measured, std::nullopt, 3h}));
  s.ended = lab::exit_status{};
  s.after = 937s;
  EXPECT_EQ(decide(s).length, (hang_length{source::measured, 937s}));
  EXPECT_EQ(decide(s).verdict, verdict::fail) << "it ended, but after the limit";
  s.after.reset();
  EXPECT_EQ(decide(s).length, (hang_length{source::measured, 3h}));
  s = still_running();
  s.wait.reset();
  EXPECT_EQ(decide(s).length, hang_length{});
}

TEST(client_verdict, a_kernel_that_answers_keepalive_ends_no_wait) {
  client_seen s = still_running();
  s.wait->by_kernel = 10s;
  s.kernel_answers = true;
  EXPECT_EQ(decide(s).length, (hang_length{source::unknown, std::nullopt}));
  s.endless = true;
  EXPECT_EQ(decide(s).length, (hang_length{source::computed, std::nullopt}));
}

TEST(client_verdict, who_connects_again_and_again_does_not_hang) {
  client_seen s = still_running();
  s.told.attempts = many_attempts - 1;
  expect(s, verdict::fail, outcome::hangs, basis::time);
  s.told.attempts = many_attempts;
  s.busy = 0.9;
  s.wait->by_kernel = 30s;
  expect(s, verdict::fail, outcome::tries_again, basis::time);
  EXPECT_EQ(decide(s).length, hang_length{}) << "what its present socket would do is no length of the loop";
  s.watched_to = 200s;
  EXPECT_EQ(decide(s).length,
            (hang_length{.how = source::watched, .watched = 200s, .attempts = many_attempts}));
  s.ended = lab::exit_status{};
  s.after = 27s;
  EXPECT_NE(decide(s).did, outcome::tries_again) << "its attempts have an end";
}

TEST(client_verdict, who_burns_the_processor_spins) {
  client_seen s = still_running();
  s.busy = too_busy;
  s.watched_to = 200s;
  expect(s, verdict::fail, outcome::spins, basis::processor);
  EXPECT_EQ(decide(s).length, hang_length{});
  s.busy = 0.49;
  expect(s, verdict::fail, outcome::hangs, basis::time);
}

TEST(client_verdict, a_judge_that_was_too_slow_accuses_nobody) {
  client_seen s = still_running();
  s.undelivered = {65, 724};
  expect(s, verdict::inconclusive, outcome::hangs, basis::time);
  EXPECT_EQ(decide(s).why, obstacle::too_busy);
}

TEST(length_of_wait, is_that_of_the_timer_that_runs) {
  const hang timers{.idle = 1s, .in_flight = 2s, .connecting = 3s};
  EXPECT_EQ(length_of_wait({}, timers, waiting::for_data).by_kernel, 1s);
  EXPECT_EQ(length_of_wait({}, timers, waiting::for_acknowledgement).by_kernel, 2s);
  EXPECT_EQ(length_of_wait({}, timers, waiting::for_connection).by_kernel, 3s);
}

trace::connection connection_of(const trace::ip_address& client, std::uint16_t port,
                                trace::time_point opened) {
  trace::connection c;
  c.opener = {client, 40000};
  c.responder = {trace::ip_address::parse("10.0.0.2").value(), port};
  c.of(trace::side::opener).syn = trace::mark{1, opened};
  return c;
}

TEST(told_since, counts_what_came_after_the_fault_on_the_clients_own_connections) {
  const auto client = trace::ip_address::parse("10.0.0.1").value();
  const auto other = trace::ip_address::parse("10.0.0.3").value();
  const trace::time_point fault{10s};
  trace::connection before = connection_of(client, 7, trace::time_point{9s});
  before.of(trace::side::responder).fin = trace::mark{5, trace::time_point{11s}};
  trace::connection refused = connection_of(client, 7, trace::time_point{12s});
  refused.of(trace::side::responder).rst = trace::mark{8, trace::time_point{12s}};
  refused.of(trace::side::responder).rst_kind = trace::reset_kind::to_syn;
  trace::connection opened = connection_of(client, 7, trace::time_point{13s});
  opened.handshake_done = trace::mark{12, trace::time_point{13s}};
  opened.of(trace::side::responder).rst = trace::mark{14, trace::time_point{14s}};
  opened.of(trace::side::responder).rst_kind = trace::reset_kind::live_socket;
  const trace::connection of_another = connection_of(other, 7, trace::time_point{12s});
  const trace::connection elsewhere = connection_of(client, 8, trace::time_point{12s});
  const told_since t = what_was_told({&before, &refused, &opened, &of_another, &elsewhere}, client, 7, fault);
  EXPECT_EQ(t.fin, 5U);
  EXPECT_EQ(t.refusal, 8U);
  EXPECT_EQ(t.reset, 14U);
  EXPECT_EQ(t.icmp, std::nullopt);
  EXPECT_EQ(t.attempts, 2U);
  EXPECT_EQ(t.answered, 1U);
}

TEST(told_since, a_connection_of_which_no_syn_was_seen_is_no_attempt) {
  const auto client = trace::ip_address::parse("10.0.0.1").value();
  trace::connection c = connection_of(client, 7, trace::time_point{12s});
  c.of(trace::side::opener).syn.reset();
  EXPECT_EQ(what_was_told({&c}, client, 7, trace::time_point{10s}).attempts, 0U);
}

TEST(told_since, of_several_the_first_counts) {
  const auto client = trace::ip_address::parse("10.0.0.1").value();
  trace::connection late = connection_of(client, 7, trace::time_point{1s});
  late.of(trace::side::responder).fin = trace::mark{9, trace::time_point{12s}};
  trace::connection early = late;
  early.of(trace::side::responder).fin = trace::mark{5, trace::time_point{11s}};
  early.first_icmp = early.last_icmp = trace::icmp_notice{
      {6, trace::time_point{11s}}, trace::unreachable::host, trace::side::opener, {}, true};
  for (const auto& order : {std::array{&late, &early}, std::array{&early, &late}}) {
    const told_since t = what_was_told({order[0], order[1]}, client, 7, trace::time_point{10s});
    EXPECT_EQ(t.fin, 5U);
    EXPECT_EQ(t.icmp, 6U);
    EXPECT_TRUE(t.anything());
    EXPECT_EQ(t.attempts, 0U);
  }
  early.last_icmp->where.when = trace::time_point{9s};
  EXPECT_EQ(what_was_told({&early}, client, 7, trace::time_point{10s}).icmp, std::nullopt);
}

TEST(told_since, what_came_before_the_fault_is_not_told_since) {
  const auto client = trace::ip_address::parse("10.0.0.1").value();
  trace::connection c = connection_of(client, 7, trace::time_point{1s});
  c.of(trace::side::responder).fin = trace::mark{5, trace::time_point{2s}};
  c.of(trace::side::responder).rst = trace::mark{6, trace::time_point{3s}};
  const told_since t = what_was_told({&c}, client, 7, trace::time_point{10s});
  EXPECT_FALSE(t.anything());
}

}  // namespace
}  // namespace halfopen::judge
