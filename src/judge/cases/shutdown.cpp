// The host is told to stop: SIGTERM to every process, a grace, SIGKILL.

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "halfopen/lab/error.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* exit_rule =
    "SIGTERM asks a service to stop; what has not ended when the grace is over is killed (systemd.kill(5), "
    "init(8))";
constexpr const char* drain_rule =
    "a request that was taken is answered before the server goes (Kubernetes, systemd: stop accepting, "
    "finish, exit)";

/// It ends by itself within the grace.
void must_end(stage& s, const lab::process& program) {
  const auto began = lab::experiment::now();
  const bool ended = s.lab.until([&] { return program.ended() && s.server.is_empty(); }, s.under_test.grace);
  const auto took = std::chrono::round<milliseconds>(lab::experiment::now() - began);
  s.require(ended, fmt::format("it ends within {} of SIGTERM", in_words(s.under_test.grace)),
            "handle SIGTERM: stop accepting, finish what is under way within a bound, exit");
  if (ended) s.pass("ended after " + in_words(took));
}

void while_idle(stage& s) {
  lab::process& program = s.serve();
  s.terminate_server();
  must_end(s, program);
}

/// So long a client may take for the second half of its request, and so long the server has to do
/// what it does on SIGTERM. Shorter, and the periods of programs' own timers (ten times a second is
/// usual) would decide what they do; longer, and what a server gives its clients to finish would be over.
constexpr milliseconds second_half_follows{2000};

/// The request has begun: SIGTERM comes when the server has read its first half.
stand_in_client begin_request(stage& s, std::size_t half) {
  stand_in_client c = s.stand_in();
  const bool sent = c.send(std::string_view(c.request()).substr(0, half));
  s.prove(sent && s.until_read(s.server, c.self(), s.soon), "half of the request is read by the server");
  s.until_idle();
  return c;
}

void request_in_flight(stage& s) {
  const std::size_t half = s.need_request(2).bytes.size() / 2;
  lab::process& program = s.serve();
  stand_in_client c = begin_request(s, half);
  s.terminate_server();
  s.lab.run_for(std::min(second_half_follows, s.under_test.grace / 2));
  c.push(std::string_view(c.request()).substr(half));
  const std::string reply = c.receive(s.base.reply, s.soon);
  s.require_whole(
      reply.size() >= s.base.reply.least,
      fmt::format("the request under way is answered ({} of {} bytes)", reply.size(), s.base.reply.least),
      "on SIGTERM stop accepting, answer the requests that have begun, close idle connections, then exit");
  c.close();
  must_end(s, program);
}

void connection_open(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.terminate_server();
  must_end(s, program);
  s.prove(c.traffic() != nullptr && c.traffic()->handshake_done, "a connection was open");
}

/// It said something else and closed in order: a refusal in its protocol's own words, such as HTTP's
/// 503 or PostgreSQL's "the database system is shutting down".
bool declined(const stand_in_client& c) {
  if (!c.at_end() || c.traffic() == nullptr) return false;
  const trace::flow& back = c.traffic()->of(trace::side::responder);
  return back.bytes > 0 && back.fin && !back.rst;
}

void new_connection(stage& s) {
  const std::size_t half = s.need_request(2).bytes.size() / 2;
  lab::process& program = s.serve();
  stand_in_client first = begin_request(s, half);
  s.terminate_server();
  s.lab.run_for(100ms);
  bool refused = false;
  bool told_so = false;
  std::string reply;
  // Who comes in the listener's last moment is reset by its kernel, whatever the server does: twice is no
  // chance.
  for (int tries = 0; tries < 2 && !refused && !told_so && reply.size() < s.base.reply.least; ++tries) try {
      stand_in_client late(s.witness, s.server, s.port(), s.base.said.main());
      if (late.until_request(s.soon)) {
        late.push(late.request());
        reply = late.receive(s.base.reply, s.soon);
      }
      told_so = declined(late);
    } catch (const lab::error&) {
      refused = true;
    }
  const auto all = s.lab.traffic().connections();
  s.prove(
      std::ranges::any_of(all, [&](const auto* one) { return one->opener.address == s.witness.address(); }),
      "SYN from another client after SIGTERM");
  const bool answered = reply.size() >= s.base.reply.least;
  s.require_whole(refused || answered || told_so,
                  refused    ? "it is refused, and can go elsewhere"
                  : answered ? "it is answered"
                  : told_so  ? "it is told something else, and the connection closed in order"
                             : "it is refused, or its request is answered",
                  "close the listener first of all on SIGTERM: what it has taken must be answered");
  first.push(std::string_view(first.request()).substr(half));
  first.close();
  (void)program;
}

void started_again(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  c.send(c.request());
  const bool served = c.receive(s.base.reply, s.soon).size() >= s.base.reply.least;
  s.prove(served, "a client was served, and is connected still");
  s.inject([&] {
    lab::kill(s.server);
    s.lab.until([&] { return program.ended() && s.server.is_empty(); }, s.soon);
  });
  s.lab.until_quiet(20ms, s.soon);
  const trace::flow& own = c.traffic()->of(trace::side::opener);
  const trace::flow& back = c.traffic()->of(trace::side::responder);
  s.prove(back.fin && !back.rst && (!own.fin || back.fin->number < own.fin->number),
          "FIN from the server's side first: its port has TIME_WAIT");
  s.prove(s.server.is_empty(), "no process is left on the server's host");
  c.close();
  s.lab.until_quiet(20ms, s.soon);
  if (!s.faulty()) return;
  try {
    lab::process& again = s.serve();
    s.answers_others(again, "after the restart");
  } catch (const does_not_listen& e) {
    s.fail(std::string("it cannot be started again at once: ") + e.what(),
           "set SO_REUSEADDR on the listener before bind (socket(7)): connections of the dead process keep "
           "the port otherwise",
           e.ended ? basis::event : basis::time);
  }
}

constexpr judge_case cases[]{
    expecting(expectation::ends_in_grace,
              {"shutdown/1", subject::server, "SIGTERM while nothing is connected", exit_rule, while_idle}),
    expecting("the whole reply",
              {"shutdown/2", subject::server,
               "SIGTERM when half of a request is read; the other half comes two seconds later", drain_rule,
               request_in_flight}),
    expecting(
        expectation::ends_in_grace,
        {"shutdown/3", subject::server, "SIGTERM with an idle connection open", exit_rule, connection_open}),
    expecting("a refusal, or an answer",
              {"shutdown/4", subject::server, "a client comes after SIGTERM", drain_rule, new_connection}),
    expecting("it listens again",
              {"shutdown/5", subject::server,
               "killed with a connection open that it has served, and started again at once",
               "a port with connections in TIME_WAIT or FIN_WAIT can be bound only with SO_REUSEADDR "
               "(socket(7), RFC "
               "9293 section 3.6.1)",
               started_again}),
    expecting("it recovers, or exits with an error",
              at(moment::on_its_way, loss::stop, "shutdown/6",
                 "the server is told to stop with the request on its way", exit_rule)),
};

}  // namespace

const family shutdown_family{"shutdown", "the host is told to stop", cases};

}  // namespace halfopen::judge
