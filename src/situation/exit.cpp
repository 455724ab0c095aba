// 2. The server process terminates.
//
// SIGKILL ends the process; its kernel lives and closes its sockets: with a FIN,
// or with an RST where bytes were unread (Linux net/ipv4/tcp.c, __tcp_close).

#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

using trace::culprit;
using trace::reset_kind;
using trace::side;

const trace::flow& said_by(const scene& s, side who) {
  return s.connection()->of(who);
}

void prove_bare_reset(scene& s) {
  const trace::flow& server = said_by(s, side::responder);
  s.prove(server.rst_kind == reset_kind::no_socket,
          "RST without ACK from the server (" + scene::at(server.rst) + ")");
}

/// The FIN arrives while the client waits for its user.
void fin_first(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  s.fault();
  lab::kill(server);
  s.prove(s.lab.after(lab::fin_acked(s.server), scene::soon),
          "FIN from the server (" + scene::at(said_by(s, side::responder).fin) + "), acknowledged");
  if (s.naive()) {
    s.lab.run_for(300ms);
    s.expect(!c.ended() && c.errors().empty(), "waiting for its user, it does not notice the FIN for 300 ms");
    c.type("two\n");
    s.prove(s.lab.after(lab::from(s.server) && lab::reset(), scene::soon),
            "the client wrote on (" + scene::at(said_by(s, side::opener).last_data) + ")");
    prove_bare_reset(s);
    s.lab.until_ended(c, scene::soon);
    s.saw_what(c);
    s.saw("no notice of the FIN; then, writing, end-of-file (" + last_error(c) + ")", c.last_output());
    s.expect(c.ended() && c.ended()->code == 1, "after its write it finds end-of-file");
    s.prove_ending(ending::peer_closed, culprit::responder);
  } else {
    s.expect(s.lab.until_ended(c, scene::soon) && c.errors().contains("peer_closed"),
             "it reports peer_closed without writing");
    s.prove(said_by(s, side::opener).bytes == 4, "the client wrote nothing after the FIN");
    s.saw_what(c);
    // Nothing was owed, so on the wire it looks like an orderly end.
    s.prove_ending(ending::completed, culprit::responder);
  }
}

/// The FIN is overtaken: the client has written before it arrives, and what
/// answers is an RST.
void rst_first(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  s.lab.hold(lab::from(s.server) && lab::fin());
  lab::kill(server);
  s.prove(s.lab.after(lab::from(s.server) && lab::fin(), scene::soon),
          "FIN from the server (" + scene::at(said_by(s, side::responder).fin) + "), late on its way");
  s.fault();
  c.type("two\n");
  s.prove(s.lab.after(lab::from(s.server) && lab::reset(), scene::soon), "RST before it arrives");
  prove_bare_reset(s);
  s.lab.until_ended(c, scene::soon);
  s.saw_what(c);
  s.expect(c.errors().contains("ECONNRESET"), "it reads ECONNRESET");
  if (!s.naive()) s.expect(c.errors().contains("peer_reset"), "it reports peer_reset");
  s.prove_ending(ending::peer_reset, culprit::responder);
}

/// The server dies with the request unread in its buffer.
void unread_data(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  server.hold();
  c.type("two\n");
  s.prove(s.lab.after(lab::acked(s.client, 8), scene::soon), "the server's kernel acknowledged 8 bytes");
  s.fault();
  lab::kill(server);
  s.prove(s.lab.after(lab::from(s.server) && lab::reset(), scene::soon), "RST at once");
  const trace::flow& said = said_by(s, side::responder);
  s.prove(said.rst_kind == reset_kind::live_socket && !said.fin,
          "RST+ACK from the server (" + scene::at(said.rst) + "), no FIN");
  s.lab.until_ended(c, scene::soon);
  s.saw_what(c);
  s.expect(c.errors().contains("ECONNRESET"), "it reads ECONNRESET");
  if (!s.naive()) s.expect(c.errors().contains("peer_reset"), "it reports peer_reset");
  s.prove_ending(ending::peer_reset, culprit::responder);
}

constexpr variant variants[]{
    {"fin-first", "SIGKILL to the server while the client waits for its user", fin_first},
    {"rst-first", "the same, but the client writes while the FIN is still on its way", rst_first},
    {"unread-data", "SIGKILL to a server that has not read the request", unread_data},
};

}  // namespace

const situation exit_situation{"exit", "the server process terminates", variants};

}  // namespace halfopen::situation
