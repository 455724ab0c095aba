// The host is told to stop: SIGTERM to every process, a grace, SIGKILL.

#include <fmt/format.h>
#include <signal.h>
#include <algorithm>
#include <memory>

#include "halfopen/lab/error.hpp"
#include "judge/protocol.hpp"
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
std::unique_ptr<client_part> begin_request(stage& s, std::size_t half) {
  auto c = s.play_client();
  const bool sent = c->say(half, s.soon);
  s.prove(sent && s.until_read(s.server, c->self(), s.soon), "half of the request is read by the server");
  s.until_idle();
  return c;
}

/// A part of the request of which the server's program knows.
std::size_t first_part(const stage& s) {
  const asked request = s.need_request(2);
  const auto place = place_in_request(s.base.said.main(), request.turn);
  if (!place)
    throw no_verdict(
        obstacle::not_there,
        "the request is one TLS record, or of SSH: before a record or packet is whole the server "
        "knows of no request");
  return *place;
}

void request_in_flight(stage& s) {
  const std::size_t half = first_part(s);
  lab::process& program = s.serve();
  const auto c = begin_request(s, half);
  s.terminate_server();
  s.lab.run_for(std::min(second_half_follows, s.under_test.grace / 2));
  c->say_the_rest();
  const std::size_t reply = c->hear(s.base.reply, s.soon);
  s.require_whole(
      reply >= s.base.reply.least,
      fmt::format("the request under way is answered ({} of {} bytes)", reply, s.base.reply.least),
      "on SIGTERM stop accepting, answer the requests that have begun, close idle connections, then exit");
  c->close();
  must_end(s, program);
}

void connection_open(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.terminate_server();
  must_end(s, program);
  s.prove(c->traffic() != nullptr && c->traffic()->handshake_done, "a connection was open");
}

/// What a client got that came after SIGTERM.
struct latecomer {
  bool refused = false, answered = false;
  /// The server said something else and closed in order: a refusal in its protocol's own words, such as
  /// HTTP's 503 or PostgreSQL's "the database system is shutting down".
  bool told_so = false;
  [[nodiscard]] bool well() const noexcept { return refused || answered || told_so; }
};

bool declined(const trace::connection* c) {
  if (c == nullptr) return false;
  const trace::flow& back = c->of(trace::side::responder);
  return back.bytes > 0 && back.fin && !back.rst;
}

latecomer recorded_latecomer(stage& s) {
  latecomer got;
  try {
    stand_in_client late(s.witness, s.server, s.port(), s.base.said.main());
    if (late.until_request(s.soon)) {
      late.push(late.request());
      got.answered = late.receive(s.base.reply, s.soon).size() >= s.base.reply.least;
    }
    got.told_so = late.at_end() && declined(late.traffic());
  } catch (const lab::error&) {
    got.refused = true;
  }
  return got;
}

latecomer real_latecomer(stage& s) {
  const std::size_t before = s.lab.traffic().connections().size();
  lab::process& late = s.call_from(s.witness);
  s.wait([&] { return late.ended().has_value(); }, std::max(s.soon, 3 * s.base.took));
  s.lab.run_for(20ms);
  latecomer got;
  got.answered = late.ended() && late.ended()->code == 0 && late.ended()->signal == 0 &&
                 s.base.answered_as_ever(late.output());
  const auto all = s.lab.traffic().connections();
  for (std::size_t i = before; i < all.size(); ++i) {
    if (all[i]->opener.address != s.witness.address()) continue;
    got.refused = all[i]->of(trace::side::responder).rst_kind == trace::reset_kind::to_syn;
    got.told_so = declined(all[i]);
  }
  if (!late.ended()) late.signal(SIGKILL);
  return got;
}

void new_connection(stage& s) {
  const std::size_t half = s.need_request(2).bytes.size() / 2;
  (void)s.serve();
  const auto first = begin_request(s, half);
  s.terminate_server();
  s.lab.run_for(100ms);
  latecomer got;
  // Who comes in the listener's last moment is reset by its kernel, whatever the server does: twice is no
  // chance.
  for (int tries = 0; tries < 2 && !got.well(); ++tries)
    got = s.base.no_replay_to_server.empty() ? recorded_latecomer(s) : real_latecomer(s);
  const auto all = s.lab.traffic().connections();
  s.prove(
      std::ranges::any_of(all, [&](const auto* one) { return one->opener.address == s.witness.address(); }),
      "SYN from another client after SIGTERM");
  s.require_whole(got.well(),
                  got.refused    ? "it is refused, and can go elsewhere"
                  : got.answered ? "it is answered"
                  : got.told_so  ? "it is told something else, and the connection closed in order"
                                 : "it is refused, or its request is answered",
                  "close the listener first of all on SIGTERM: what it has taken must be answered");
  first->say_the_rest();
  first->close();
}

void started_again(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  lab::freeze(s.client);  // a program would close when it has its reply
  c->say_the_rest();
  const bool served = c->hear(s.base.reply, s.soon) >= s.base.reply.least;
  s.prove(served, "a client was served, and is connected still");
  s.inject([&] {
    lab::kill(s.server);
    s.lab.until([&] { return program.ended() && s.server.is_empty(); }, s.soon);
  });
  s.lab.until_quiet(20ms, s.soon);
  const trace::flow& own = c->traffic()->of(trace::side::opener);
  const trace::flow& back = c->traffic()->of(trace::side::responder);
  s.prove(back.fin && !back.rst && (!own.fin || back.fin->number < own.fin->number),
          "FIN from the server's side first: its port has TIME_WAIT");
  s.prove(s.server.is_empty(), "no process is left on the server's host");
  c->close();
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

/// So long a server shall wait for what may be on its way before it closes an idle connection. A server that
/// does not closes it at once; how far a client is away, nobody knows.
constexpr milliseconds on_its_way_for{1000};

/// What a server says before it closes; an alert of TLS says nothing of requests.
bool says_something(const stage& s, std::uint64_t bytes) {
  constexpr std::uint64_t longest_alert = 31;  // of TLS 1.2: a header, a nonce, two bytes, a tag
  return bytes > (spoken(s.base.said.main()) == trace::protocol::tls ? longest_alert : 0);
}

std::size_t terminate_those(const std::vector<pid_t>& pids) {
  return static_cast<std::size_t>(
      std::ranges::count_if(pids, [](pid_t pid) { return ::kill(pid, SIGTERM) == 0; }));
}

/// The next request of a connection that has been answered is on the cable while the server stops, and
/// another one of it listens on the same port.
void replaced(stage& s) {
  if (s.need_request().client_before == 0)
    throw no_verdict(obstacle::not_there,
                     "the client asks once on a connection: none is kept alive for another request");
  (void)s.serve();
  const auto c = s.play_client();
  const std::vector<pid_t> old = s.server.pids();
  const lab::process* fresh = s.serve_beside();
  if (fresh == nullptr)
    throw no_verdict(obstacle::not_there,
                     "another one of the server cannot listen beside it: it does not set SO_REUSEPORT "
                     "(socket(7)), or they share files");
  const trace::flow &asks = c->traffic()->of(trace::side::opener),
                    &back = c->traffic()->of(trace::side::responder);
  s.prove(c->put_on_its_way(s.soon) && !back.fin && !back.rst, "the next request is on its way");
  request_at_stop seen{.number = asks.last_data ? asks.last_data->number : 0};
  const std::uint64_t said = back.bytes;
  std::size_t told = 0;
  s.inject([&] {
    s.lab.note("SIGTERM to the server, and not to the other one beside it");
    told = terminate_those(old);
  });
  s.prove(told > 0, fmt::format("SIGTERM was delivered to {} process{}", told, told == 1 ? "" : "es"));
  // By the clock on the wall: a busy machine's longer limit is no longer wait of the server's.
  const auto told_at = s.fault_at();
  s.lab.until([&] { return back.fin || back.rst || lab::experiment::now() - told_at >= on_its_way_for; },
              2 * on_its_way_for);
  if (back.fin || back.rst) {
    const auto& end = back.fin ? back.fin : back.rst;
    if (end->when - told_at >= on_its_way_for)
      throw no_verdict(obstacle::too_busy,
                       "the machine was too busy: the request did not come to the server while that waited");
    seen.closed_in = end->number;
    seen.told = says_something(s, back.bytes - said);
  }
  c->say_the_rest();
  const std::size_t reply = c->hear(s.base.reply, s.soon);
  s.lab.until_quiet(20ms, s.soon);
  seen.answered = !seen.closed_in && reply >= s.base.reply.least;
  seen.unpredictable = s.base.reply_varies && reply > 0;
  if (back.fin && back.rst) seen.reset_in = back.rst->number;
  s.judge_request_at_stop(seen);
  (void)s.lives(*fresh);
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
    expecting(
        "the request is answered, or the client is told before the connection ends",
        {"shutdown/7", subject::server,
         "SIGTERM to a server beside which another one listens, with the next request of a kept-alive "
         "connection on its way",
         "a connection that is closed while a request is on its way loses it, and only what is idempotent "
         "may be asked again (RFC 9110 section 9.2.2, RFC 9112 section 9.5)",
         replaced}),
};

}  // namespace

const family shutdown_family{"shutdown", "the host is told to stop", cases};

}  // namespace halfopen::judge
