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
  s.inject([&] { lab::reboot(s.client, s.disk()); });
  const trace::endpoint server_end{s.server.address(), s.port()};
  s.prove_forgotten(s.client, server_end, c.traffic(), trace::side::opener);
  s.judge_server(program, std::array{c.self()});
}

void client_mid_reply(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  c.push(c.request());
  s.prove_before(lab::from(s.server) && lab::payload() && lab::said(s.server, c.heard_before() + 1),
                 "the reply is on its way");
  s.inject([&] { lab::reboot(s.client, s.disk()); });
  s.prove_after(lab::from(s.client) && lab::reset(), "RST from the rebooted host");
  s.judge_server(program, std::array{c.self()});
}

/// The real server has been there from the beginning: a recording would not have told it what the
/// client wrote.
void come_back(stage& s, const lab::process& c) {
  const trace::connection* before = s.main_connection();
  bool forgotten = false;
  s.inject([&] { forgotten = s.reboot_server(); });
  s.prove(forgotten, "the server's host is back, and its kernel knows none of its connections");
  s.judge_client(c);
  s.prove(before != nullptr && !before->of(trace::side::responder).fin,
          "no FIN came from the host that rebooted");
}

void server_idle(stage& s) {
  come_back(s, s.until_idle_pair());
}

void server_after_request(stage& s) {
  come_back(s, s.until_replied(s.need_request(), 0));
}

void server_mid_reply(stage& s) {
  const asked request = s.need_request(1, 2);
  come_back(s, s.until_replied(request, request.reply / 2));
}

void only_the_host(stage& s) {
  s.need_replay_to_client();
  const asked request = s.need_request();
  stand_in_server peer = s.play_server();
  lab::process& c = s.call();
  s.prove(peer.until_request(request.turn, s.soon),
          "the request is acknowledged, and nothing of the reply is said");
  s.inject([&] { lab::reboot(s.server, s.disk()); });
  s.prove_forgotten(s.server, peer.peer(), s.main_connection(), trace::side::responder);
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
     rule, server_after_request, nullptr, true},
    {"reboot/5", subject::client,
     "the server's host reboots in the middle of the reply; the server is started again", rule,
     server_mid_reply, nullptr, true},
    {"reboot/6", subject::client, "the server's host comes back after the request, its server does not", rule,
     only_the_host, nullptr, true},
};

}  // namespace

const family reboot_family{"reboot", "the peer's host comes back without its memory", cases};

}  // namespace halfopen::judge
