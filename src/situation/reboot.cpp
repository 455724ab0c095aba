// 5. The server host crashes and reboots.
//
// It comes back with the same address, its server running again, and no memory
// of the connection: whatever the client sends draws an RST without ACK flag
// (Linux net/ipv4/tcp_ipv4.c, tcp_v4_send_reset).

#include "fate/kernel_timeouts.hpp"
#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

using trace::culprit;
using trace::reset_kind;
using trace::side;

/// The RST with which the reborn host answers, and what it tells. It may have come
/// before anybody looked: on a busy machine a reboot takes longer than a probe.
void prove_reboot(scene& s, const lab::process& c, const trace::connection& old, const std::string& draws) {
  const trace::flow& server = old.of(side::responder);
  s.lab.until([&] { return server.rst.has_value(); }, scene::soon);
  s.prove(server.rst_kind == reset_kind::no_socket,
          draws + " draws an RST without ACK (" + scene::at(server.rst) + ")");
  s.prove(!server.fin, "no FIN from the server");
  s.prove_ending(ending::peer_rebooted, culprit::responder, old);
  s.reported_by(c);
}

/// Long enough for a probe after the reboot, should a busy machine take a second for it.
constexpr auto probes_go_on = 4000ms;

void expect_reset(scene& s, const lab::process& c) {
  s.lab.until_ended(c, scene::soon);
  s.saw_what(c);
  s.expect(c.ended() && c.errors().contains("ECONNRESET"), "it gets ECONNRESET");
  if (!s.naive()) s.expect(c.errors().contains("peer_re"), "it reports peer_reset or peer_rebooted");
}

void writing(scene& s) {
  s.notice_within = 20s;  // no keepalive probe comes before the client's line
  s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  lab::reboot(s.server);
  s.serve({"echo"});
  s.fault();
  c.type("two\n");
  s.prove_after(lab::from(s.client) && lab::payload(), "the client writes");
  expect_reset(s, c);
  prove_reboot(s, c, *s.connection(), "that");
}

void idle(scene& s) {
  s.notice_within = probes_go_on;
  const lab::unique_fd witness = s.naive() ? s.keepalive_witness() : lab::unique_fd{};
  s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  const trace::connection& old = *s.connection();
  s.fault();
  lab::reboot(s.server);
  if (s.naive()) {
    s.watch_idle(c, witness, keepalive_gives_up(7'200'000ms, 0ms, 0));
    s.saw_nothing("it never learns");
    s.expect(!c.ended() && c.errors().empty(), "it learns nothing");
    s.prove(old.of(side::opener).bytes == 4 && old.of(side::opener).keepalive_probes == 0,
            "not a packet from the client");
    c.type("two\n");  // only now, to prove that the host has no memory
    prove_reboot(s, c, old, "a line typed afterwards");
  } else {
    expect_reset(s, c);
    s.prove(old.of(side::opener).keepalive_probes > 0 && old.of(side::opener).bytes == 4,
            "nothing from the client but keepalive probes");
    prove_reboot(s, c, old, "a probe");
  }
}

/// The request was acknowledged by the kernel, and dies with the host.
void awaiting_reply(scene& s) {
  s.notice_within = probes_go_on;
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  server.hold();
  c.type("two\n");
  s.prove_after(lab::acked(s.client, 8), "the request is acknowledged: nothing to retransmit");
  const trace::connection& old = *s.connection();
  const std::uint64_t last_word = old.of(side::responder).last_heard->number;
  s.fault();
  lab::reboot(s.server);
  if (s.naive()) {
    s.serve({"echo"});
    s.lab.run_for(s.watch());
    s.saw_nothing("it waits for ever");
    s.expect(!c.ended() && c.errors().empty(), "it waits for ever");
    s.prove(old.of(side::responder).last_heard->number == last_word, "then silence");
    const lab::unique_fd again = s.connect();
    s.prove(s.connection() != &old && s.connection()->handshake_done, "yet a new connection opens");
  } else {
    expect_reset(s, c);
    prove_reboot(s, c, old, "a keepalive probe");
  }
}

constexpr variant variants[]{
    {"writing", "the host reboots, then the client writes", writing},
    {"idle", "the host reboots while the connection is idle", idle},
    {"awaiting-reply", "the host reboots after it acknowledged the request, before the reply",
     awaiting_reply},
};

}  // namespace

const situation reboot_situation{"reboot", "the server host crashes and reboots", variants};

}  // namespace halfopen::situation
