// The peer's host comes back without its memory: it answers the old connection's segments with RST.

#include <memory>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* rule =
    "a host that has lost its state answers a segment of the old connection with RST, and who sends nothing "
    "is told "
    "nothing (RFC 9293 section 3.5.1, half-open connections)";

constexpr const char* syn_rule =
    "a SYN to a port on which nobody listens is answered with RST (RFC 9293 section 3.10.7.1), and who "
    "connects "
    "again "
    "later finds the program";

void client_idle(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.lab.until_quiet(100ms, s.soon);  // an ACK that is still owed would be asked for again
  s.inject([&] { lab::reboot(s.client, s.disk()); });
  const trace::endpoint server_end{s.server.address(), s.port()};
  s.prove_forgotten(s.client, server_end, c->traffic(), trace::side::opener);
  s.judge_server(program, c->ends());
}

void client_mid_reply(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  c->say_the_rest();
  s.prove_before(lab::from(s.server) && lab::payload() && lab::said(s.server, c->heard_before() + 1),
                 "the reply is on its way");
  s.inject([&] { lab::reboot(s.client, s.disk()); });
  s.prove_after(lab::from(s.client) && lab::reset(), "RST from the rebooted host");
  s.judge_server(program, c->ends());
}

constexpr judge_case cases[]{
    {"reboot/1", subject::server, "the client's host reboots while the connection is idle", rule,
     client_idle},
    {"reboot/2", subject::server, "the client's host reboots with the reply in flight", rule,
     client_mid_reply},
    // The real server has been there from the beginning: a recording would not have told it what the client
    // wrote.
    at(moment::idle, loss::reboot, "reboot/3",
       "the server's host reboots while the connection is idle; the server is started again", rule),
    at(moment::requested, loss::reboot, "reboot/4",
       "the server's host reboots after the request; the server is started again", rule),
    at(moment::mid_reply, loss::reboot, "reboot/5",
       "the server's host reboots in the middle of the reply; the server is started again", rule),
    at(moment::requested, loss::host_reboot, "reboot/6",
       "the server's host comes back after the request, its server does not", rule),
    at(moment::connecting, loss::reboot, "reboot/7",
       "the server's host reboots while the client connects: the SYN is there before the server is started "
       "again",
       syn_rule),
};

}  // namespace

const family reboot_family{"reboot", "the peer's host comes back without its memory", cases};

}  // namespace halfopen::judge
