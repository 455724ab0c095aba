// The connection is aborted before the server accepts it. What accept(2) then returns is the
// kernel's choice; a server must live with all four.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

using lab::accept_flavour;

constexpr const char* posix_rule =
    "accept() may fail with ECONNABORTED, and the next call may succeed (POSIX.1-2017, accept)";
constexpr const char* transient_rule =
    "Linux passes pending network errors of the new connection on as an error of accept(); treat them like "
    "EAGAIN and "
    "try again (accept(2), Error handling)";

trace::endpoint abort_one(stage& s) {
  lab::unique_fd socket = s.client.connect_to(s.server, s.port());
  const auto all = s.lab.traffic().connections();
  const trace::endpoint self = all.back()->opener;
  s.inject([&] { lab::abort(s.client, std::move(socket)); });
  s.prove_after(lab::from(s.client) && lab::reset(), "RST from the client after the handshake");
  return self;
}

/// The server stands still, so it cannot have accepted before the RST came.
void abort_like(stage& s, std::optional<accept_flavour> flavour, int failure) {
  lab::process& program = s.serve(s.faulty() ? flavour : std::nullopt);
  // An accept that blocks is freed by the next client: only who was there before notices it.
  std::unique_ptr<client_part> there_before;
  if (s.base.concurrent && s.base.said.main().request()) there_before = s.play_client(s.witness);
  s.hold_server();
  const trace::endpoint gone = abort_one(s);
  s.resume_server();
  const auto met = [&](lab::accept_event::kind what, int errno_value) {
    return std::ranges::any_of(program.accepts(), [&](const lab::accept_event& e) {
      return e.what == what && (errno_value == 0 || e.errno_value == errno_value);
    });
  };
  if (flavour) {
    const auto what = failure != 0 ? lab::accept_event::kind::failed : lab::accept_event::kind::discarded;
    // A ring may be there for files alone, as in MariaDB, which calls accept: only one that is not called is
    // unseen.
    s.lab.until([&] { return met(what, failure); }, s.soon);
    if (!met(what, failure) && met(lab::accept_event::kind::unseen, 0))
      throw no_verdict(obstacle::no_means, "the server accepts in a way that cannot be changed (io_uring)");
    s.prove(met(what, failure), failure != 0 ? "accept failed as on that kernel"
                                             : "the dead connection was gone when accept was called");
  }
  if (there_before) {
    there_before->say_the_rest();
    const bool answered = there_before->hear(s.base.reply, s.soon) >= s.base.reply.least;
    if (!answered) s.lab.run_for(50ms);  // if the server has ended, it is told a little later
    if (s.lives(program))
      s.require_whole(answered, "a client that was connected before is answered",
                      "make the listener nonblocking: an accept that blocks keeps all others waiting");
    there_before.reset();
  }
  s.judge_server(program, std::array{gone});
}

void on_linux(stage& s) {
  abort_like(s, std::nullopt, 0);
}
void on_posix(stage& s) {
  abort_like(s, accept_flavour::posix, ECONNABORTED);
}
void on_svr4(stage& s) {
  abort_like(s, accept_flavour::svr4, EPROTO);
}
void on_berkeley(stage& s) {
  abort_like(s, accept_flavour::berkeley, 0);
}

void a_thousand(stage& s) {
  lab::process& program = s.serve();
  std::vector<trace::endpoint> gone;
  std::size_t resets = 0;
  s.inject([&] {
    for (int i = 0; i < 1000 && !program.ended(); ++i) {
      lab::unique_fd socket = s.client.connect_to(s.server, s.port());
      gone.push_back(s.lab.traffic().connections().back()->opener);
      lab::abort(s.client, std::move(socket));
      if (s.lab.after(lab::from(s.client) && lab::reset(), s.soon)) ++resets;
    }
  });
  s.prove(resets == 1000 || (program.ended() && resets > 0),
          fmt::format("{} handshakes, each followed by an RST", resets));
  s.judge_server(program, gone);
}

constexpr judge_case cases[]{
    expecting("it goes on accepting",
              {"abort/1", subject::server,
               "a client resets before accept, which returns the dead connection (Linux)", transient_rule,
               on_linux}),
    expecting("it goes on accepting",
              {"abort/2", subject::server,
               "a client resets before accept, which fails with ECONNABORTED (POSIX)", posix_rule, on_posix}),
    expecting("it goes on accepting",
              {"abort/3", subject::server, "a client resets before accept, which fails with EPROTO (SVR4)",
               transient_rule, on_svr4}),
    expecting(
        "it goes on accepting",
        {"abort/4", subject::server, "a client resets before accept, which finds no connection (Berkeley)",
         "a listener that was readable may have nothing to accept: it must be nonblocking (accept(2), NOTES)",
         on_berkeley}),
    expecting("it goes on accepting, and has none of them left",
              {"abort/5", subject::server, "1,000 connections are reset right after their handshake",
               transient_rule, a_thousand}),
    expecting("it recovers, or exits with an error",
              at(moment::connected, loss::reset, "abort/6",
                 "the server resets the connection right after the handshake",
                 "an RST ends the connection, and the user is told (RFC 9293 section 3.10.7.4)")),
};

}  // namespace

const family abort_family{"abort", "the connection is aborted before accept", cases};

}  // namespace halfopen::judge
