// The peer's host is gone: no FIN, no RST, no more ACKs. Only timers can tell, or a router.

#include <array>

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

void vanish(stage& s, lab::host& which) {
  s.fault();
  lab::crash(which);
}

/// Nothing came from that host's kernel after the fault.
void prove_silence(stage& s, const trace::connection* c, trace::side of, std::uint64_t segments_before) {
  s.prove(c != nullptr && c->of(of).segments == segments_before && !c->of(of).rst,
          "not a segment more from the host that is gone");
}

void client_idle(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.lab.until_quiet(50ms, s.soon);
  const auto before = c.traffic()->of(trace::side::opener).segments;
  vanish(s, s.client);
  s.judge_server(program, std::array{c.self()});
  prove_silence(s, c.traffic(), trace::side::opener, before);
}

void client_mid_request(stage& s) {
  const std::string& request = s.need_request(2);
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.prove(c.send(std::string_view(request).substr(0, request.size() / 2)),
          "half of the request is acknowledged");
  const auto before = c.traffic()->of(trace::side::opener).segments;
  vanish(s, s.client);
  s.judge_server(program, std::array{c.self()});
  prove_silence(s, c.traffic(), trace::side::opener, before);
}

/// The reply is on the cable, and not yet delivered.
stand_in_client reply_on_its_way(stage& s) {
  stand_in_client c = s.stand_in();
  c.push(c.request());
  s.prove_before(lab::from(s.server) && lab::payload() && lab::said(s.server, c.heard_before() + 1),
                 "the reply is on its way");
  return c;
}

void client_mid_reply(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = reply_on_its_way(s);
  vanish(s, s.client);
  s.prove_after(lab::retransmission(s.server), "the server's kernel repeats the reply");
  s.judge_server(program, std::array{c.self()});
}

void client_unreachable(stage& s, lab::unreachable_kind what) {
  lab::process& program = s.serve();
  stand_in_client c = reply_on_its_way(s);
  s.fault();
  lab::make_unreachable(s.client, what);
  s.prove_after(lab::icmp() && lab::to(s.server), "ICMP unreachable from the router");
  s.judge_server(program, std::array{c.self()});
}
void client_host_unreachable(stage& s) {
  client_unreachable(s, lab::unreachable_kind::host);
}
void client_network_unreachable(stage& s) {
  client_unreachable(s, lab::unreachable_kind::network);
}

void server_idle(stage& s) {
  s.need_replay_to_client();
  const std::size_t turn = s.need_idle_turn();
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  s.prove(peer.until_before_turn(turn, s.soon), "the connection is idle");
  vanish(s, s.server);
  s.judge_client(c);
}

void server_after_request(stage& s) {
  s.need_replay_to_client();
  (void)s.need_request();
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  s.prove(peer.until_request(s.soon), "the request is acknowledged, and nothing of the reply is said");
  vanish(s, s.server);
  s.judge_client(c);
}

void server_mid_reply(stage& s) {
  s.need_replay_to_client();
  const std::size_t half = s.need_reply(2) / 2;
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  s.prove(peer.until_replied(half, s.soon), "half of the reply has arrived");
  vanish(s, s.server);
  s.judge_client(c);
}

/// The request itself meets the router's answer: it is in flight.
void server_unreachable(stage& s, lab::unreachable_kind what) {
  s.need_replay_to_client();
  const auto& script = s.base.said.main();
  const std::size_t already =
      script.said_before(speaker::client, *script.request()) + 0 * s.need_request().size();
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  if (*script.request() > 0)
    s.prove(peer.until_before_turn(*script.request(), s.soon), "everything before the request is said");
  s.prove_before(lab::from(s.client) && lab::payload() && lab::said(s.client, already + 1),
                 "the request is on its way");
  s.fault();
  lab::make_unreachable(s.server, what);
  s.prove_after(lab::icmp() && lab::to(s.client), "ICMP unreachable from the router");
  s.judge_client(c);
}
void server_host_unreachable(stage& s) {
  server_unreachable(s, lab::unreachable_kind::host);
}
void server_network_unreachable(stage& s) {
  server_unreachable(s, lab::unreachable_kind::network);
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
    {"crash/6", subject::client, "the server's host vanishes while the connection is idle", idle_rule,
     server_idle},
    {"crash/7", subject::client, "the server's host vanishes after the request", idle_rule,
     server_after_request},
    {"crash/8", subject::client, "the server's host vanishes in the middle of the reply", idle_rule,
     server_mid_reply},
    {"crash/9", subject::client, "a router says that the server's host cannot be reached, after the request",
     icmp_rule, server_host_unreachable},
    {"crash/10", subject::client,
     "a router says that the server's network cannot be reached, after the request", icmp_rule,
     server_network_unreachable},
};

}  // namespace

const family crash_family{"crash", "the peer's host is gone", cases};

}  // namespace halfopen::judge
