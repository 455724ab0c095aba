#include "judge/outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

client_seen ended(int code, int signal = 0) {
  client_seen s;
  s.ended = lab::exit_status{code, signal, {}};
  s.in_time = true;
  s.after = 30ms;
  s.limit = 20s;
  s.difference = "line 1 is \"2\" where \"3\" is usual";
  s.says = ", and says: lost it";
  return s;
}

client_seen still_running() {
  client_seen s;
  s.limit = 20s;
  s.window = 20s;
  s.has_socket = true;
  s.wait = wait_length{"neither SO_KEEPALIVE nor TCP_USER_TIMEOUT", std::nullopt};
  return s;
}

TEST(outcome, the_usual_output_is_a_pass) {
  client_seen s = ended(0);
  s.usual_output = true;
  EXPECT_EQ(decide(s).what, verdict::pass);
  EXPECT_EQ(decide(s).kind, outcome::unaffected);
  s.anew = true;
  EXPECT_EQ(decide(s).kind, outcome::recovered);
  EXPECT_THAT(decide(s).happened, Not(HasSubstr("right only if")));
  s.asked_twice = true;
  EXPECT_THAT(decide(s).happened, HasSubstr("right only if it may be done twice"));
}

TEST(outcome, an_exit_other_than_0_is_a_report) {
  const decision d = decide(ended(3));
  EXPECT_EQ(d.what, verdict::pass);
  EXPECT_EQ(d.kind, outcome::reported);
  EXPECT_EQ(d.happened, "reported: exit 3 after 30 ms, and says: lost it");
}

TEST(outcome, a_report_with_nothing_in_its_way_fails_and_has_to_be_confirmed) {
  client_seen s = ended(3);
  s.must_succeed = "read on";
  const decision d = decide(s);
  EXPECT_EQ(d.what, verdict::fail);
  EXPECT_EQ(d.rests_on, basis::time);
  EXPECT_EQ(d.cure, "read on");
}

TEST(outcome, death_by_a_signal_is_an_event) {
  const decision pipe = decide(ended(0, SIGPIPE));
  EXPECT_EQ(pipe.what, verdict::fail);
  EXPECT_EQ(pipe.kind, outcome::crashed);
  EXPECT_EQ(pipe.rests_on, basis::event);
  EXPECT_THAT(pipe.cure, HasSubstr("MSG_NOSIGNAL"));
  EXPECT_EQ(decide(ended(128 + SIGSEGV)).kind, outcome::crashed) << "told by a shell";
}

TEST(outcome, another_output_with_exit_0_is_a_false_success_and_shows_what_differs) {
  client_seen s = ended(0);
  EXPECT_EQ(decide(s).kind, outcome::false_success);
  EXPECT_EQ(decide(s).rests_on, basis::event);
  EXPECT_THAT(decide(s).happened, HasSubstr("\"2\" where \"3\""));
  EXPECT_THAT(decide(s).cure, Not(HasSubstr("pipefail")));
  s.pipe = true;
  EXPECT_THAT(decide(s).cure, HasSubstr("pipefail"));
}

TEST(outcome, a_hang_has_a_length_and_who_says_so) {
  client_seen s = still_running();
  decision d = decide(s);
  EXPECT_EQ(d.kind, outcome::hangs);
  EXPECT_EQ(d.rests_on, basis::time);
  EXPECT_EQ(d.length.how, hang_length::source::unknown);
  EXPECT_THAT(d.cure, HasSubstr("SO_KEEPALIVE"));

  s.endless = true;
  d = decide(s);
  EXPECT_EQ(d.length.how, hang_length::source::computed);
  EXPECT_EQ(d.length.ends, std::nullopt);

  s.wait->by_kernel = 30s;
  d = decide(s);
  EXPECT_EQ(d.length.how, hang_length::source::computed);
  EXPECT_EQ(d.length.ends, 30s);

  s.watched_to = 3h;
  d = decide(s);
  EXPECT_EQ(d.length.how, hang_length::source::measured);
  EXPECT_EQ(d.length.words, "still running after 3 h 0 min (measured)");

  s.ended = lab::exit_status{};
  s.after = 937s;
  d = decide(s);
  EXPECT_EQ(d.length.ends, 937s);
  EXPECT_EQ(d.what, verdict::fail) << "it ended, but after the limit";

  s = still_running();
  s.wait.reset();
  EXPECT_EQ(decide(s).length.words, "its socket could not be looked at");
  s.has_socket = false;
  EXPECT_THAT(decide(s).length.words, HasSubstr("no connection"));
}

TEST(outcome, no_cure_speaks_of_keepalive_where_something_was_delivered) {
  for (const auto told : {&told_since::fin, &told_since::reset, &told_since::refusal}) {
    client_seen s = still_running();
    s.told.*told = 12;
    const decision d = decide(s);
    EXPECT_EQ(d.kind, outcome::hangs);
    EXPECT_THAT(d.cure, Not(HasSubstr("KEEPALIVE")));
    EXPECT_THAT(d.cure, HasSubstr("packet 12"));
  }
}

TEST(outcome, who_connects_wants_a_deadline_for_that) {
  client_seen s = still_running();
  s.what_for = waiting::for_connection;
  EXPECT_THAT(decide(s).cure, HasSubstr("connect a deadline"));
  s.has_socket = false;
  s.what_for = waiting::for_data;
  s.told.attempts = 1;
  EXPECT_THAT(decide(s).cure, HasSubstr("whole exchange"));
}

TEST(outcome, who_connects_again_and_again_does_not_hang) {
  client_seen s = still_running();
  s.told.fin = 9;
  s.told.attempts = many_attempts;
  decision d = decide(s);
  EXPECT_EQ(d.kind, outcome::tries_again);
  EXPECT_EQ(d.what, verdict::fail);
  EXPECT_THAT(d.happened, HasSubstr("FIN in packet 9; 3 new connections since"));
  EXPECT_THAT(d.cure, Not(HasSubstr("KEEPALIVE")));
  s.watched_to = 200s;
  d = decide(s);
  EXPECT_THAT(d.happened, HasSubstr("still running after 3 min 20 s (measured)"));
}

TEST(outcome, who_burns_the_processor_spins) {
  client_seen s = still_running();
  s.busy = 0.9;
  s.processor = 18;
  const decision d = decide(s);
  EXPECT_EQ(d.kind, outcome::spins);
  EXPECT_EQ(d.rests_on, basis::processor);
  EXPECT_THAT(d.happened, HasSubstr("18.0 s of processor time in 20.0 s"));
}

TEST(outcome, a_judge_that_was_too_slow_accuses_nobody) {
  client_seen s = still_running();
  s.undelivered = {65, 724};
  const decision d = decide(s);
  EXPECT_EQ(d.what, verdict::inconclusive);
  EXPECT_THAT(d.reason, HasSubstr("65 of 724 bytes"));
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
  EXPECT_EQ(
      in_words(t),
      "FIN in packet 5, RST in packet 14, refusal in packet 8; 2 new connections since, of which 1 opened");
}

TEST(told_since, what_came_before_the_fault_is_not_told_since) {
  const auto client = trace::ip_address::parse("10.0.0.1").value();
  trace::connection c = connection_of(client, 7, trace::time_point{1s});
  c.of(trace::side::responder).fin = trace::mark{5, trace::time_point{2s}};
  c.of(trace::side::responder).rst = trace::mark{6, trace::time_point{3s}};
  const told_since t = what_was_told({&c}, client, 7, trace::time_point{10s});
  EXPECT_FALSE(t.anything());
  EXPECT_EQ(in_words(t), "nothing reached it");
}

}  // namespace
}  // namespace halfopen::judge
