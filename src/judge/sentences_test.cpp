#include "judge/sentences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
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
  s.says = "lost it";
  return s;
}

client_seen still_running() {
  client_seen s;
  s.limit = s.window = 20s;
  s.has_socket = true;
  s.wait = wait_length{};
  return s;
}

wording said(const client_seen& s, const std::string& cure_of_giving_up = "read on") {
  return say(s, decide(s), cure_of_giving_up);
}

TEST(sentences, of_a_client_that_has_ended) {
  client_seen s = ended(0);
  s.usual_output = true;
  EXPECT_EQ(said(s).happened, "unaffected: exit 0 with the usual output after 30 ms");
  s.anew = true;
  EXPECT_EQ(said(s).happened, "recovered on a new connection: exit 0 with the usual output after 30 ms");
  s.asked_twice = {12, 40};
  EXPECT_THAT(said(s).happened,
              HasSubstr("in packet 12 and again in packet 40: right only if it may be done twice"));
  s.once = true;
  EXPECT_THAT(said(s).happened, HasSubstr("it may be done once only"));
  s.asked_twice.reset();
  s.after = 0ms;
  EXPECT_THAT(said(s).happened, Not(HasSubstr("after")));

  EXPECT_EQ(said(ended(3)).happened, "reported: exit 3 after 30 ms, and says: lost it");
  s = ended(3);
  s.says = "";
  s.must_succeed = true;
  EXPECT_EQ(said(s).happened, "gave up with nothing in its way: exit 3 after 30 ms, and says nothing");
  EXPECT_EQ(said(s).cure, "read on");

  EXPECT_EQ(said(ended(0, SIGPIPE)).happened, "killed by SIGPIPE after 30 ms");
  EXPECT_THAT(said(ended(0, SIGPIPE)).cure, HasSubstr("MSG_NOSIGNAL"));
  EXPECT_THAT(said(ended(128 + SIGSEGV)).cure, HasSubstr("why it crashes"));
}

TEST(sentences, a_false_success_shows_what_differs_and_the_pipe_that_may_hide_it) {
  client_seen s = ended(0);
  EXPECT_THAT(said(s).happened, HasSubstr("\"2\" where \"3\""));
  EXPECT_THAT(said(s).cure, Not(HasSubstr("pipefail")));
  s.pipe = true;
  EXPECT_THAT(said(s).cure, HasSubstr("pipefail"));
  EXPECT_EQ(said(s).reason, "");
  s.guessed = true;
  EXPECT_THAT(said(s).reason, HasSubstr("not recorded"));
}

TEST(sentences, of_the_length_of_a_hang) {
  client_seen s = still_running();
  EXPECT_THAT(said(s).length, HasSubstr("unless it has one of its own"));
  s.endless = true;
  EXPECT_THAT(said(s).length, HasSubstr("for ever: no timer runs on its connection"));
  s.wait->by_kernel = 30s;
  EXPECT_THAT(said(s).length, HasSubstr("after 30.0 s at the latest (computed)"));
  s.watched_to = 3h;
  EXPECT_EQ(said(s).length, "still running after 3 h 0 min (measured)");
  s.ended = lab::exit_status{};
  s.after = 937s;
  EXPECT_EQ(said(s).length, "ended after 15 min 37 s (measured)");
  EXPECT_EQ(said(s).happened, "hangs: still running after 20.0 s; ended after 15 min 37 s (measured)");
  s = still_running();
  s.wait.reset();
  EXPECT_EQ(said(s).length, "its socket could not be looked at");
  s.has_socket = false;
  EXPECT_EQ(said(s).length, "it has no connection to the server any more");
}

TEST(sentences, no_cure_speaks_of_keepalive_where_something_was_delivered) {
  EXPECT_THAT(said(still_running()).cure, HasSubstr("SO_KEEPALIVE"));
  for (const auto told : {&told_since::fin, &told_since::reset, &told_since::refusal}) {
    client_seen s = still_running();
    s.told.*told = 12;
    EXPECT_THAT(said(s).cure, Not(HasSubstr("KEEPALIVE")));
    EXPECT_THAT(said(s).cure, HasSubstr("packet 12"));
    s.told.attempts = many_attempts;
    EXPECT_THAT(said(s).cure, Not(HasSubstr("KEEPALIVE")));
  }
}

TEST(sentences, the_cure_of_a_hang_fits_what_it_waits_for) {
  client_seen s = still_running();
  s.wait->options.keepalive = true;
  s.wait->options.user_timeout = 9s;
  EXPECT_THAT(said(s).cure, HasSubstr("its connection has SO_KEEPALIVE (first probe after"));
  EXPECT_THAT(said(s).cure, HasSubstr("and TCP_USER_TIMEOUT of 9.0 s"));
  EXPECT_THAT(said(s).cure, HasSubstr("would have known after 20.0 s"));
  s.within = 5s;
  EXPECT_THAT(said(s).cure, HasSubstr("would have known after 5.0 s"));
  s.what_for = waiting::for_connection;
  EXPECT_THAT(said(s).cure, HasSubstr("connect a deadline"));
  s.has_socket = false;
  s.what_for = waiting::for_data;
  s.told.attempts = 1;
  EXPECT_THAT(said(s).cure, HasSubstr("whole exchange"));
  s.must_succeed = true;
  EXPECT_EQ(said(s).cure, "read on");
}

TEST(sentences, where_the_servers_kernel_answers_no_option_of_tcp_is_a_cure) {
  client_seen s = still_running();
  s.wait->by_kernel = 10s;
  s.kernel_answers = true;
  EXPECT_THAT(said(s).length, HasSubstr("the server's kernel goes on acknowledging: for ever, unless"));
  EXPECT_THAT(said(s).cure, HasSubstr("give the wait for a reply a limit"));
  EXPECT_THAT(said(s).cure, Not(HasSubstr("it would have known")));
  s.endless = true;
  EXPECT_THAT(said(s).length, HasSubstr("for ever: the server's kernel goes on acknowledging, and"));
}

TEST(sentences, of_a_loop_a_spin_and_a_slow_judge) {
  client_seen s = still_running();
  s.told.fin = 9;
  s.told.attempts = many_attempts;
  EXPECT_THAT(said(s).happened, HasSubstr("FIN in packet 9; 3 new connections since"));
  EXPECT_EQ(said(s).length, "");
  s.watched_to = 200s;
  s.told.attempts = 2000;
  EXPECT_EQ(said(s).length, "still trying after 3 min 20 s (watched), 2000 attempts");
  EXPECT_THAT(said(s).happened, HasSubstr("; still trying after 3 min 20 s (watched)"));
  s = still_running();
  s.busy = 0.9;
  s.processor = 18;
  EXPECT_THAT(said(s).happened, HasSubstr("18.0 s of processor time in 20.0 s"));
  s.undelivered = {65, 724};
  EXPECT_THAT(said(s).reason, HasSubstr("65 of 724 bytes"));
  EXPECT_EQ(said(s).happened, "");
}

TEST(sentences, of_what_reached_a_client) {
  EXPECT_EQ(in_words(told_since{}), "nothing reached it");
  told_since t{.fin = 5, .reset = 14, .refusal = 8, .icmp = 9, .attempts = 2, .answered = 1};
  EXPECT_EQ(in_words(t),
            "FIN in packet 5, RST in packet 14, refusal in packet 8, ICMP unreachable in packet 9; 2 new "
            "connections "
            "since, of which 1 opened");
  EXPECT_EQ(in_words(told_since{.attempts = 1}),
            "nothing reached it; 1 new connection since, of which 0 opened");
}

TEST(sentences, of_the_next_client) {
  const auto said_of = [](const other_client& seen) { return say(seen, decide(seen), "after the fault"); };
  EXPECT_EQ(said_of({}).happened, "after the fault, the next client is answered");
  EXPECT_EQ(said_of({.got = answer::another}).happened,
            "not so: after the fault, the next client is answered");
  EXPECT_EQ(said_of({.got = answer::another, .came = false}).reason,
            "after the fault, the next client ended before it opened a connection: its own output says why");
  EXPECT_EQ(said_of({.got = answer::none, .limit = 5s}).happened,
            "after the fault, the next client gets no answer within 5.0 s");
  EXPECT_EQ(said_of({.server_ended = lab::exit_status{.code = 3, .signal = 0, .when = {}}}).happened,
            "the server ended with exit 3");
  EXPECT_EQ(say_end({.code = 0, .signal = SIGPIPE, .when = {}}).happened, "the server was killed by SIGPIPE");
  EXPECT_THAT(say_end({.code = 0, .signal = SIGPIPE, .when = {}}).cure, HasSubstr("MSG_NOSIGNAL"));
}

TEST(sentences, of_a_connection_that_is_held) {
  const auto said_of = [](const held_sockets& seen) { return say(seen, decide(seen), 20s); };
  held_sockets s{.state = TCP_CLOSE_WAIT, .count = 3, .patience = 5s};
  EXPECT_EQ(said_of(s).happened, "it holds the dead connection after 5.0 s still (CLOSE_WAIT, and 2 more)");
  EXPECT_THAT(said_of(s).cure, HasSubstr("it was told"));
  s = {.state = TCP_ESTABLISHED, .patience = 5s};
  EXPECT_THAT(said_of(s).happened, HasSubstr("still (ESTABLISHED); no timer of the kernel runs"));
  EXPECT_THAT(said_of(s).cure, HasSubstr("would have known after 20.0 s"));
  s.wait = wait_length{};
  s.endless = true;
  EXPECT_THAT(said_of(s).happened, HasSubstr("for ever: no timer runs on the connection"));
  s.wait->by_kernel = 924s;
  EXPECT_THAT(said_of(s).happened,
              HasSubstr("the kernel would end it after 15 min 24 s at the latest (computed)"));
  s.watched = 120s;
  EXPECT_THAT(said_of(s).happened,
              HasSubstr("late: still held after 2 min 0 s (measured); by its socket's options"));
  s.to_the_end = true;
  EXPECT_EQ(said_of(s).happened,
            "it never gives the dead connection back: still held after 2 min 0 s (measured)");
  s.released = true;
  EXPECT_EQ(said_of(s).happened,
            "it gives the dead connection back late: given back after 2 min 0 s (measured)");
  for (const int state : {TCP_LAST_ACK, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSING, TCP_CLOSE, TCP_SYN_SENT})
    EXPECT_THAT(said_of({.state = state, .patience = 5s}).happened, HasSubstr("still ("));
}

TEST(sentences, of_the_processor_and_of_deaths) {
  const auto load = [](std::optional<double> share) {
    const load_seen seen{share};
    return say(seen, decide(seen), "at its limit ", "pause");
  };
  EXPECT_EQ(load(0.01).happened, "at its limit it waits without burning the processor (1 %)");
  EXPECT_EQ(load(0.01).cure, "");
  EXPECT_EQ(load(0.99).happened, "not so: at its limit it waits without burning the processor (99 %)");
  EXPECT_EQ(load(0.99).cure, "pause");
  EXPECT_THAT(load(std::nullopt).reason, HasSubstr("is not known"));
  const auto death = [](death_seen seen) { return say(seen, decide(seen), "worker"); };
  EXPECT_EQ(death({SIGSEGV, false}).happened, "one of its processes, worker, was killed by SIGSEGV");
  EXPECT_THAT(death({SIGPIPE, false}).cure, HasSubstr("in every process"));
  EXPECT_EQ(death({SIGPIPE, true}).happened, "");
}

TEST(sentences, of_a_request_on_its_way_at_the_stop) {
  const auto said_of = [](const request_at_stop& seen) { return say(seen, decide(seen)); };
  EXPECT_EQ(
      said_of({.number = 12, .closed_in = 14, .reset_in = 16}).happened,
      "a request was on its way in packet 12 when the server closed the connection in packet 14, and was "
      "answered by RST in packet 16: it is lost, and the client cannot know whether it was done");
  EXPECT_THAT(said_of({.number = 12, .closed_in = 14}).happened, HasSubstr("in packet 14: it is lost"));
  EXPECT_THAT(said_of({.number = 12, .closed_in = 14}).cure, HasSubstr("keepalive_min_timeout"));
  EXPECT_THAT(said_of({.number = 12, .closed_in = 14, .told = true}).happened, HasSubstr("said so before"));
  EXPECT_EQ(said_of({.number = 12, .answered = true}).happened,
            "a request was on its way in packet 12, and it was answered");
  EXPECT_THAT(said_of({.number = 12}).happened, HasSubstr("never answered"));
  EXPECT_NE(said_of({.number = 12}).cure, "");
  EXPECT_THAT(said_of({.number = 12, .unpredictable = true}).reason, HasSubstr("not always as long"));
}

}  // namespace
}  // namespace halfopen::judge
