// The peer's host comes back without its memory: it answers the old connection's segments with RST.

#include <array>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* rule =
    "a host that has lost its state answers a segment of the old connection with RST, and who sends nothing "
    "is told "
    "nothing (RFC 9293 section 3.5.1, half-open connections)";

void client_idle(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.lab.until_quiet(100ms, s.soon);  // an ACK that is still owed would be asked for again
  const auto before = c.traffic()->of(trace::side::opener).segments;
  s.fault();
  lab::reboot(s.client);
  s.judge_server(program, std::array{c.self()});
  s.prove(c.traffic()->handshake_done && c.traffic()->of(trace::side::opener).segments >= before &&
              !c.traffic()->of(trace::side::opener).fin,
          "the connection was established, and no FIN came from the host that rebooted");
}

void client_mid_reply(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  c.push(c.request());
  s.prove_before(lab::from(s.server) && lab::payload() && lab::said(s.server, c.heard_before() + 1),
                 "the reply is on its way");
  s.fault();
  lab::reboot(s.client);
  s.prove_after(lab::from(s.client) && lab::reset(), "RST from the rebooted host");
  s.judge_server(program, std::array{c.self()});
}

/// The server's host is back, and its program runs again.
void come_back(stage& s) {
  s.fault();
  lab::reboot(s.server);
  (void)s.serve();
}

void server_idle(stage& s) {
  s.need_replay_to_client();
  const std::size_t turn = s.need_idle_turn();
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  s.prove(peer.until_before_turn(turn, s.soon), "the connection is idle");
  come_back(s);
  s.judge_client(c);
}

void server_after_request(stage& s) {
  s.need_replay_to_client();
  (void)s.need_request();
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  s.prove(peer.until_request(s.soon), "the request is acknowledged, and nothing of the reply is said");
  come_back(s);
  s.judge_client(c);
}

void server_mid_reply(stage& s) {
  s.need_replay_to_client();
  const std::size_t half = s.need_reply(2) / 2;
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  s.prove(peer.until_replied(half, s.soon), "half of the reply has arrived");
  come_back(s);
  s.judge_client(c);
}

void only_the_host(stage& s) {
  s.need_replay_to_client();
  (void)s.need_request();
  stand_in_server peer(s.server, s.base.said);
  lab::process& c = s.call();
  s.prove(peer.until_request(s.soon), "the request is acknowledged, and nothing of the reply is said");
  s.fault();
  lab::reboot(s.server);
  s.judge_client(c);
}

constexpr judge_case cases[]{
    {"reboot/1", subject::server, "the client's host reboots while the connection is idle", rule,
     client_idle},
    {"reboot/2", subject::server, "the client's host reboots with the reply in flight", rule,
     client_mid_reply},
    {"reboot/3", subject::client,
     "the server's host reboots while the connection is idle; the server is started again", rule,
     server_idle},
    {"reboot/4", subject::client, "the server's host reboots after the request; the server is started again",
     rule, server_after_request},
    {"reboot/5", subject::client,
     "the server's host reboots in the middle of the reply; the server is started again", rule,
     server_mid_reply},
    {"reboot/6", subject::client, "the server's host comes back after the request, its server does not", rule,
     only_the_host},
};

}  // namespace

const family reboot_family{"reboot", "the peer's host comes back without its memory", cases};

}  // namespace halfopen::judge
