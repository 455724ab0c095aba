// 3. SIGPIPE: writing after the RST.
//
// The client sends two lines before it waits for their echoes. The first is on
// the cable when the server dies; the client is held until the FIN has arrived
// and the RST that answers its first line. Its second write meets EPIPE, and
// with it SIGPIPE (net/core/stream.c, sk_stream_error).

#include <csignal>

#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

/// Kills the server at `port` so that the client's next write there comes after the RST.
void reset_under_a_writer(scene& s, lab::process& victim, lab::process& c, std::uint16_t port) {
  s.lab.hold(lab::from(s.client) && lab::payload() && lab::to_port(port));
  c.type("one\n");
  s.prove(s.lab.after(lab::from(s.client) && lab::payload() && lab::to_port(port), scene::soon),
          "a line to port " + std::to_string(port) + " on its way");
  c.hold();
  lab::kill(victim);
  s.prove(s.lab.after(lab::fin_acked(s.server) && lab::to_port(port), scene::soon), "FIN from the server");
  s.lab.release();
  s.prove(
      s.lab.after(lab::from(s.server) && lab::reset() && lab::to_port(port), scene::soon),
      "RST in answer to the line (" + scene::at(s.connection(port)->of(trace::side::responder).rst) + ")");
  s.fault();
  c.type("two\n");
  c.resume();
}

void one_connection(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo", "--pipeline", "2"});
  c.type("a\nb\n");
  s.lab.until_says(c, "b");
  reset_under_a_writer(s, server, c, scene::port);
  s.lab.until_ended(c, scene::soon);
  s.saw_what(c);
  if (s.naive())
    s.expect(c.ended() && c.ended()->signal == SIGPIPE, "its wait status says SIGPIPE");
  else
    s.expect(c.ended() && c.ended()->signal == 0 && c.errors().contains("broken_pipe") &&
                 c.errors().contains("EPIPE"),
             "it lives, and reports broken_pipe (EPIPE)");
  s.prove_ending(ending::broken_pipe, trace::culprit::responder);
}

void three_connections(scene& s) {
  s.serve({"echo"}, 7);
  lab::process& victim = s.serve({"echo"}, 8);
  s.serve({"echo"}, 9);
  lab::process& c = s.call({"echo", "--pipeline", "2"}, {7, 8, 9});
  c.type("a\nb\n");
  s.lab.until(
      [&] { return s.connection(9) != nullptr && s.connection(9)->of(trace::side::responder).acked >= 4; });
  reset_under_a_writer(s, victim, c, 8);
  if (s.naive()) {
    s.lab.until_ended(c, scene::soon);
    s.saw_what(c);
    s.expect(c.ended() && c.ended()->signal == SIGPIPE,
             "its wait status says SIGPIPE, and not which connection");
  } else {
    s.lab.until_says(c, "server:8", scene::soon);
    s.saw_what(c);
    c.type("three\n");
    const bool others = s.lab.until_says(c, "three", scene::soon);
    s.expect(c.errors().contains("server:8: broken_pipe"), "it names server:8");
    s.expect(!c.errors().contains("server:7") && !c.errors().contains("server:9"), "and no other");
    s.expect(others && !c.ended(), "the other two go on");
  }
  s.prove_ending(ending::broken_pipe, trace::culprit::responder, 8);
}

constexpr variant variants[]{
    {"one-connection", "the client writes once more after FIN and RST", one_connection},
    {"three-connections", "the same on one of its three connections", three_connections},
};

}  // namespace

const situation sigpipe_situation{"sigpipe", "writing after the reset", variants};

}  // namespace halfopen::situation
