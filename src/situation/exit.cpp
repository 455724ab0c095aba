// 2. The server process terminates.
//
// SIGKILL ends the process; its kernel lives and closes its sockets: with a FIN,
// or with an RST where bytes were unread (Linux net/ipv4/tcp.c, __tcp_close).

#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

using trace::culprit;
using trace::side;

const trace::flow& said_by(const scene& s, side who) {
  return s.connection()->of(who);
}

void prove_bare_reset(scene& s) {
  s.prove_after(lab::from(s.server) && lab::reset() && !lab::flags(trace::ack),
                "RST without ACK from the server");
}

/// The FIN arrives while the client waits for its user.
void fin_first(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  s.fault();
  lab::kill(server);
  s.prove_after(lab::from(s.server) && lab::fin(), "FIN from the server");
  s.lab.until([&] { return said_by(s, side::responder).fin_acked; }, scene::soon);
  if (s.naive()) {
    s.lab.run_for(300ms);
    s.expect(!c.ended() && c.errors().empty(), "waiting for its user, it does not notice the FIN for 300 ms");
    c.type("two\n");
    s.prove_after(lab::from(s.client) && lab::payload(), "the client writes on");
    prove_bare_reset(s);
    s.lab.until_ended(c, scene::soon);
    s.saw("the FIN is not noticed; after writing: " + last_error(c) + " (end-of-file)", c.last_output());
    s.expect(c.ended() && c.ended()->code == 1, "after its write it finds end-of-file");
    s.prove_ending(ending::peer_closed, culprit::responder);
  } else {
    s.expect(s.lab.until_ended(c, scene::soon) && s.reports_orderly_close(c),
             "it reports the close without writing");
    s.until_closed();
    s.prove(said_by(s, side::opener).bytes == 4, "the client writes no more");
    s.saw_what(c);
    // Nothing was owed, so on the wire it looks like an orderly end.
    s.prove_ending(ending::completed, culprit::responder);
    s.reported_by(c);
  }
}

void expect_reset(scene& s, const lab::process& c) {
  s.lab.until_ended(c, scene::soon);
  s.saw_what(c);
  s.expect(c.errors().contains("ECONNRESET"), "it reads ECONNRESET");
  if (!s.naive()) s.expect(c.errors().contains("peer_reset"), "it reports peer_reset");
  s.prove_ending(ending::peer_reset, culprit::responder);
  s.reported_by(c);
}

/// The FIN is overtaken: the client has written before it arrives, and what
/// answers is an RST.
void rst_first(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  s.lab.hold(lab::from(s.server) && lab::fin());
  lab::kill(server);
  s.prove_after(lab::from(s.server) && lab::fin(), "FIN from the server, late on its way");
  s.fault();
  c.type("two\n");
  s.prove_after(lab::from(s.client) && lab::payload(), "the client writes");
  prove_bare_reset(s);
  expect_reset(s, c);
}

/// The server dies with the request unread in its buffer.
void unread_data(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  server.hold();
  c.type("two\n");
  s.prove_after(lab::acked(s.client, 8), "the request is acknowledged, and unread");
  s.fault();
  lab::kill(server);
  s.prove_after(lab::from(s.server) && lab::reset() && lab::flags(trace::ack),
                "RST+ACK from the server at once");
  s.prove(!said_by(s, side::responder).fin, "no FIN");
  expect_reset(s, c);
}

constexpr variant variants[]{
    {"fin-first", "SIGKILL to the server while the client waits for its user", fin_first},
    {"rst-first", "SIGKILL to the server; the client writes while the FIN is still on its way", rst_first},
    {"unread-data", "SIGKILL to a server that has not read the request", unread_data},
};

}  // namespace

const situation exit_situation{"exit", "the server process terminates", variants};

}  // namespace halfopen::situation
