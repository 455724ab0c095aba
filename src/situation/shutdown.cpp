// 6. The server host is shut down.
//
// init sends SIGTERM to every process, waits, and sends SIGKILL. A reply of 4 MiB
// is under way: the host's send buffer is kept small, so that most of the reply
// is still in the server's hands.

#include <csignal>

#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

using trace::culprit;
using trace::side;

constexpr std::size_t line_length = 4 << 20;
constexpr std::uint64_t cut_at = 1 << 20;

constexpr std::uint64_t whole = line_length + 1;

void naive_cuts_it_off(scene& s, const lab::process& server, const lab::process& c) {
  const std::uint64_t sent = s.connection()->of(side::responder).bytes;
  const std::string share = std::to_string(sent) + " of " + std::to_string(whole) + " bytes";
  s.prove(sent < whole, "the reply was cut: " + share);
  s.expect(server.ended() && server.ended()->signal == SIGTERM, "the naive server dies of SIGTERM");
  s.expect(c.output().size() < whole, "the naive client did not get the whole reply");
  const bool takes_it = c.ended() && c.ended()->code == 0 && c.errors().empty();
  s.saw("the reply is cut: " + share +
            (takes_it ? "; the client takes it for the whole" : "; " + last_error(c)),
        c.ended() ? std::optional(c.ended()->when) : std::nullopt);
  s.prove_ending(ending::peer_closed, culprit::responder, scene::port,
                 {.owed_by_responder = whole, .capture_end = {}});
}

void robust_finishes(scene& s, const lab::process& server, const lab::process& c) {
  const std::uint64_t sent = s.connection()->of(side::responder).bytes;
  const std::string share = std::to_string(sent) + " of " + std::to_string(whole) + " bytes";
  s.prove(sent == whole, "the reply was finished: " + share);
  s.expect(server.ended() && server.ended()->code == 0 && server.ended()->signal == 0,
           "the robust server exits by itself");
  s.expect(c.output().size() == whole && c.ended() && c.ended()->code == 0,
           "the robust client has the whole reply");
  s.saw("the whole reply: " + share, c.last_output());
  const trace::story_hints owed{.owed_by_responder = whole, .capture_end = {}};
  s.until_closed();
  // Either side may have sent its FIN first.
  s.prove_ending(ending::shut_down, trace::tell(*s.connection(), owed).by, scene::port, owed);
  s.reported_by(c);
  s.reported_by(server);
}

void reply_under_way(scene& s) {
  s.set(s.server, "net.ipv4.tcp_wmem", "4096 16384 131072");
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  c.type(std::string(line_length, 'x') + "\n");
  c.close_input();
  const bool begun = s.lab.before(lab::said(s.server, cut_at), 20s);
  s.prove(begun, "1 MiB of the reply had been sent (packet " + std::to_string(s.lab.packets()) + ")");
  s.fault();
  const int killed = lab::shut_down(s.server, 10s);
  s.lab.until_ended(c, scene::soon);
  s.expect(killed == 0, "no SIGKILL was needed");
  if (s.naive())
    naive_cuts_it_off(s, server, c);
  else
    robust_finishes(s, server, c);
}

/// The FIN with which the server's kernel says goodbye, and its acknowledgement.
void prove_fin(scene& s) {
  s.lab.until([&] { return s.connection()->of(side::responder).fin_acked; }, scene::soon);
  s.prove(s.connection()->of(side::responder).fin_acked,
          "FIN from the server (" + scene::at(s.connection()->of(side::responder).fin) + ")");
}

/// Both programs know of it: the server why, the client that nothing was owed.
void robust_says_goodbye(scene& s, const lab::process& server, const lab::process& c) {
  s.lab.until_ended(c, scene::soon);
  s.until_closed();
  s.prove_ending(ending::shut_down, culprit::responder);
  s.reported_by(c);
  s.reported_by(server);
  s.expect(s.reports_orderly_close(c), "the robust client reports the close");
  s.expect(server.errors().contains("shut_down"), "the robust server reports shut_down");
}

void idle(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  s.fault();
  const int killed = lab::shut_down(s.server, 5s);
  prove_fin(s);
  s.expect(killed == 0 && server.ended(), "SIGTERM ended the server");
  if (s.naive()) {
    s.lab.run_for(300ms);
    s.saw("the server dies of SIGTERM; the client does not notice", lab::experiment::now());
    s.expect(server.ended() && server.ended()->signal == SIGTERM, "the naive server dies of SIGTERM");
    s.expect(!c.ended() && c.errors().empty(), "the naive client does not notice");
  } else {
    s.lab.until_ended(c, scene::soon);
    s.saw_what(c);
    s.expect(server.ended() && server.ended()->code == 0 && server.ended()->signal == 0,
             "the robust server exits by itself");
    robust_says_goodbye(s, server, c);
  }
}

/// A program that ignores SIGTERM gets SIGKILL when the grace is over, and it
/// looks like situation 2. The robust server takes SIGTERM even so: it reads it
/// from a descriptor (signalfd(2)), and a blocked signal is not ignored.
void ignored(scene& s) {
  lab::process& server = s.serve({"echo"}, scene::port, {}, {"sh", "-c", "trap '' TERM; exec \"$@\"", "sh"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  s.fault();
  const int killed = lab::shut_down(s.server, s.grace);
  prove_fin(s);
  const auto ended_at = server.ended() ? std::optional(server.ended()->when) : std::nullopt;
  if (s.naive()) {
    s.saw("the server runs on until SIGKILL", ended_at);
    s.expect(killed == 1 && server.ended() && server.ended()->signal == SIGKILL,
             "SIGKILL ends the naive server");
  } else {
    s.saw(killed == 0 ? "the server exits by itself" : "SIGKILL had to end the server", ended_at);
    s.expect(killed == 0 && server.ended() && server.ended()->code == 0, "the robust server exits by itself");
    robust_says_goodbye(s, server, c);
  }
}

constexpr variant variants[]{
    {"reply-under-way", "SIGTERM to every process while a 4 MiB reply is being sent", reply_under_way},
    {"idle", "SIGTERM to every process while the client waits for its user", idle},
    {"ignored", "the server was started with SIGTERM ignored: SIGKILL after the grace", ignored},
};

}  // namespace

const situation shutdown_situation{"shutdown", "the server host is shut down", variants};

}  // namespace halfopen::situation
