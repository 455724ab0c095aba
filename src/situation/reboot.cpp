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

constexpr auto watch = scene::notice_within + 1500ms;

void reboot(scene& s) {
  lab::reboot(s.server);
  s.serve({"echo"});
}

void prove_bare_reset(scene& s, const trace::connection& c) {
  const trace::flow& server = c.of(side::responder);
  s.prove(!server.fin, "no FIN from the server");
  s.prove(server.rst_kind == reset_kind::no_socket,
          "RST without ACK from the reborn host (" + scene::at(server.rst) + ")");
  s.prove_ending(ending::peer_rebooted, culprit::responder);
}

void expect_reset(scene& s, const lab::process& c) {
  s.expect(c.ended() && c.errors().contains("ECONNRESET"), "it gets ECONNRESET");
  if (!s.naive()) s.expect(c.errors().contains("peer_re"), "it reports peer_reset or peer_rebooted");
}

void writing(scene& s) {
  s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  reboot(s);
  s.fault();
  c.type("two\n");
  s.prove(s.lab.after(lab::from(s.server) && lab::reset(), scene::soon),
          "the client's line meets the reborn host");
  s.lab.until_ended(c, scene::soon);
  s.saw_what(c);
  expect_reset(s, c);
  prove_bare_reset(s, *s.connection());
}

void idle(scene& s) {
  s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  reboot(s);
  s.fault();
  s.lab.until_ended(c, watch);
  s.saw_what(c);
  const trace::flow& said = s.connection()->of(side::opener);
  if (s.naive()) {
    s.expect(!c.ended() && c.errors().empty(), "it learns nothing");
    s.prove(said.bytes == 4 && said.keepalive_probes == 0, "not a packet from the client");
    c.type("two\n");  // only now, to prove that the host has no memory
    s.prove(s.lab.after(lab::from(s.server) && lab::reset(), scene::soon),
            "a line typed afterwards draws the RST");
  } else {
    s.prove(said.keepalive_probes > 0,
            "a keepalive probe (" + scene::at(said.last_probe) + ") draws the RST");
    expect_reset(s, c);
    s.by_default(keepalive_gives_up(7'200'000ms, 0ms, 0), "tcp_keepalive_time, with SO_KEEPALIVE alone");
  }
  prove_bare_reset(s, *s.connection());
}

/// The request was acknowledged; the reply dies with the host.
void awaiting_reply(scene& s) {
  s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  c.type("two\n");
  s.prove(s.lab.before(lab::said(s.server, 8), scene::soon), "the reply leaves the server, and is lost");
  const trace::connection* old = s.connection();
  const std::uint64_t lost_reply = s.lab.packets();
  reboot(s);
  s.fault();
  s.lab.until_ended(c, watch);
  s.saw_what(c);
  s.prove(old->of(side::opener).acked == 8, "the request was acknowledged: nothing to retransmit");
  if (s.naive()) {
    s.expect(!c.ended() && c.errors().empty(), "it waits for ever");
    const auto& heard = old->of(side::responder).last_heard;
    s.prove(heard && heard->number == lost_reply && !old->of(side::responder).fin,
            "silence after the lost reply");
    const lab::unique_fd again = s.connect();
    s.prove(s.connection() != old && s.connection()->handshake_done,
            "a new connection to the reborn host opens");
  } else {
    s.prove(old->of(side::opener).keepalive_probes > 0, "a keepalive probe draws the RST");
    expect_reset(s, c);
    prove_bare_reset(s, *old);
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
