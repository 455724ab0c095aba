// The peer's host is gone: no FIN, no RST, no more ACKs. Only timers can tell, or a router.

#include <memory>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* idle_rule =
    "an idle connection notices a dead host only by keepalive, which is off unless asked for (RFC 9293 "
    "section 3.8.4, "
    "tcp(7))";
constexpr const char* flight_rule =
    "data that is not acknowledged is repeated until the user timeout, on Linux some 15 minutes unless "
    "TCP_USER_TIMEOUT says less (RFC 5482, tcp(7) tcp_retries2)";
constexpr const char* icmp_rule =
    "an ICMP unreachable about an established connection is a soft error: the connection must not be "
    "aborted, and the "
    "error is told when the timeout ends it (RFC 1122 section 4.2.3.9)";

void client_idle(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.lab.until_quiet(50ms, s.soon);
  s.inject([&] { lab::crash(s.client); });
  s.judge_server(program, c->ends());
  s.prove_gone(s.client, c->traffic(), trace::side::opener);
}

void client_mid_request(stage& s) {
  const asked request = s.need_request(2);
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.prove(c->say(request.bytes.size() / 2, s.soon), "half of the request is acknowledged");
  s.inject([&] { lab::crash(s.client); });
  s.judge_server(program, c->ends());
  s.prove_gone(s.client, c->traffic(), trace::side::opener);
}

/// The reply is on the cable, and not yet delivered.
std::unique_ptr<client_part> reply_on_its_way(stage& s) {
  auto c = s.play_client();
  c->say_the_rest();
  s.prove_before(lab::from(s.server) && lab::payload() && lab::said(s.server, c->heard_before() + 1),
                 "the reply is on its way");
  return c;
}

void client_mid_reply(stage& s) {
  lab::process& program = s.serve();
  const auto c = reply_on_its_way(s);
  s.inject([&] { lab::crash(s.client); });
  s.prove_after(lab::retransmission(s.server), "the server's kernel repeats the reply");
  s.judge_server(program, c->ends());
  s.prove_gone(s.client, c->traffic(), trace::side::opener);
}

void client_unreachable(stage& s, lab::unreachable_kind what) {
  lab::process& program = s.serve();
  const auto c = reply_on_its_way(s);
  s.inject([&] { lab::make_unreachable(s.client, what); });
  s.prove_after(lab::icmp() && lab::to(s.server), "ICMP unreachable from the router");
  s.judge_server(program, c->ends());
}
void client_host_unreachable(stage& s) {
  client_unreachable(s, lab::unreachable_kind::host);
}
void client_network_unreachable(stage& s) {
  client_unreachable(s, lab::unreachable_kind::network);
}

constexpr judge_case cases[]{
    {"crash/1", subject::server, "the client's host vanishes while the connection is idle", idle_rule,
     client_idle},
    {"crash/2", subject::server, "the client's host vanishes in the middle of its request", idle_rule,
     client_mid_request},
    {"crash/3", subject::server, "the client's host vanishes with the reply in flight", flight_rule,
     client_mid_reply},
    {"crash/4", subject::server, "a router says that the client's host cannot be reached", icmp_rule,
     client_host_unreachable},
    {"crash/5", subject::server, "a router says that the client's network cannot be reached", icmp_rule,
     client_network_unreachable},
    at(moment::idle, loss::crash, "crash/6", "the server's host vanishes while the connection is idle",
       idle_rule),
    at(moment::requested, loss::crash, "crash/7", "the server's host vanishes after the request", idle_rule),
    at(moment::mid_reply, loss::crash, "crash/8", "the server's host vanishes in the middle of the reply",
       idle_rule),
    at(moment::on_its_way, loss::host_unreachable, "crash/9",
       "a router says that the server's host cannot be reached, after the request", icmp_rule),
    at(moment::on_its_way, loss::network_unreachable, "crash/10",
       "a router says that the server's network cannot be reached, after the request", icmp_rule),
};

}  // namespace

const family crash_family{"crash", "the peer's host is gone", cases};

}  // namespace halfopen::judge
