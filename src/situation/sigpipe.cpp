// 3. SIGPIPE: writing after the RST.
//
// The client sends two lines before it waits for their echoes. The first is on
// the cable when the server dies; the client is held until the FIN has arrived
// and the RST that answers its first line. Its second write meets EPIPE, and
// with it SIGPIPE (net/core/stream.c, sk_stream_error).

#include <algorithm>
#include <csignal>

#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

/// Two lines, each echoed before the next: the connections are established and idle.
void warm_up(scene& s, lab::process& c, const std::vector<std::uint16_t>& ports) {
  std::uint64_t bytes = 0;
  for (const char* line : {"a\n", "b\n"}) {
    c.type(line);
    bytes += 2;
    s.lab.until([&] {
      return std::ranges::all_of(ports, [&](std::uint16_t p) {
        const trace::connection* made = s.connection(p);
        return made != nullptr && made->of(trace::side::responder).bytes >= bytes;
      });
    });
  }
  s.lab.until_quiet(60ms);
}

/// Kills the server at `port` so that the client's next write there comes after the RST.
void reset_under_a_writer(scene& s, lab::process& victim, lab::process& c, std::uint16_t port) {
  s.lab.hold(lab::from(s.client) && lab::payload() && lab::to_port(port));
  c.type("one\n");
  s.prove_after(lab::from(s.client) && lab::payload() && lab::to_port(port),
                "a line to port " + std::to_string(port) + " on its way");
  c.hold();
  lab::kill(victim);
  s.prove_after(lab::fin_acked(s.server) && lab::to_port(port), "FIN from the server, acknowledged");
  s.lab.release();
  s.prove_after(lab::from(s.server) && lab::reset() && lab::to_port(port), "RST in answer to the line");
  s.fault();
  c.type("two\n");
  c.resume();
}

void one_connection(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo", "--pipeline", "2"});
  warm_up(s, c, {scene::port});
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
  s.reported_by(c);
}

void three_connections(scene& s) {
  s.serve({"echo"}, 7);
  lab::process& victim = s.serve({"echo"}, 8);
  s.serve({"echo"}, 9);
  lab::process& c = s.call({"echo", "--pipeline", "2"}, {7, 8, 9});
  warm_up(s, c, {7, 8, 9});
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
  s.reported_by(c);
}

constexpr variant variants[]{
    {"one-connection", "the server dies; the client writes once more after FIN and RST", one_connection},
    {"three-connections", "one of three servers dies; the client writes to all of them", three_connections},
};

}  // namespace

const situation sigpipe_situation{"sigpipe", "writing after the reset", variants};

}  // namespace halfopen::situation
