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

void reply_under_way(scene& s) {
  s.server.set_sysctl("net.ipv4.tcp_wmem", "4096 16384 131072");
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  c.type(std::string(line_length, 'x') + "\n");
  c.close_input();
  s.prove(s.lab.before(lab::said(s.server, cut_at), 20s), "1 MiB of the reply sent");
  s.fault();
  const int killed = lab::shut_down(s.server, 10s);
  s.lab.until_ended(c, scene::soon);
  const std::uint64_t sent = s.connection()->of(side::responder).bytes;
  constexpr std::uint64_t whole = line_length + 1;
  const std::string share = std::to_string(sent) + " of " + std::to_string(whole) + " bytes";
  s.prove(server.ended().has_value() && killed == 0, "SIGTERM ended the server");
  if (s.naive()) {
    s.prove(sent < whole, "the reply was cut: " + share);
    s.saw("reply cut: " + share + "; " + last_error(c), c.last_output());
    s.expect(server.ended()->signal == SIGTERM, "the naive server dies of SIGTERM");
    s.expect(c.output().size() < whole, "the naive client did not get the whole reply");
    s.prove_ending(ending::peer_closed, culprit::responder, scene::port,
                   {.owed_by_responder = whole, .capture_end = {}});
  } else {
    s.prove(sent == whole, "the reply was finished: " + share);
    s.saw("the whole reply: " + share, c.last_output());
    s.expect(server.ended()->code == 0 && server.ended()->signal == 0, "the robust server exits by itself");
    s.expect(c.output().size() == whole && c.ended() && c.ended()->code == 0,
             "the robust client has the whole reply");
    const trace::story told = trace::tell(*s.connection(), {.owed_by_responder = whole, .capture_end = {}});
    s.prove(told.ended && told.how == ending::completed, "the story: completed");
    s.prove_ending(ending::completed, told.by, scene::port, {.owed_by_responder = whole, .capture_end = {}});
  }
}

void idle(scene& s) {
  lab::process& server = s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  s.fault();
  const int killed = lab::shut_down(s.server, 5s);
  s.prove(killed == 0 && server.ended(), "SIGTERM ended the server");
  s.prove(s.connection()->of(side::responder).fin.has_value(),
          "FIN from the server (" + scene::at(s.connection()->of(side::responder).fin) + ")");
  if (s.naive()) {
    s.lab.run_for(300ms);
    s.saw_what(c);
    s.expect(server.ended()->signal == SIGTERM, "the naive server dies of SIGTERM");
    s.expect(!c.ended() && c.errors().empty(), "the naive client does not notice");
  } else {
    s.lab.until_ended(c, scene::soon);
    s.saw_what(c);
    s.expect(server.ended()->code == 0 && server.ended()->signal == 0, "the robust server exits by itself");
    s.expect(c.errors().contains("peer_closed"), "the robust client reports peer_closed");
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
  const int killed = lab::shut_down(s.server, 1s);
  s.lab.after(lab::fin_acked(s.server), scene::soon);
  s.prove(s.connection()->of(side::responder).fin.has_value(),
          "FIN from the server (" + scene::at(s.connection()->of(side::responder).fin) + ")");
  if (s.naive()) {
    s.saw("server runs on until SIGKILL after the grace", server.ended()->when);
    s.expect(killed == 1 && server.ended()->signal == SIGKILL, "SIGKILL ends the naive server after 1 s");
  } else {
    s.saw("server exits by itself", server.ended()->when);
    s.expect(killed == 0 && server.ended()->code == 0, "the robust server exits by itself");
  }
}

constexpr variant variants[]{
    {"reply-under-way", "SIGTERM to every process while a 4 MiB reply is being sent", reply_under_way},
    {"idle", "SIGTERM to every process while the client waits for its user", idle},
    {"ignored", "SIGTERM is ignored: SIGKILL after a grace of 1 s", ignored},
};

}  // namespace

const situation shutdown_situation{"shutdown", "the server host is shut down", variants};

}  // namespace halfopen::situation
