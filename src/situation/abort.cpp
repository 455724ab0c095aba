// 1. The connection is aborted before accept returns.
//
// A client of the pair is connected and idle. Then a connection is opened and
// reset while the server process is held (SIGSTOP), so that the RST is there
// before accept can be called. The server goes on, and meets it as its flavour's
// kernel would. Does it still serve the client it has, and the next one?

#include <algorithm>

#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

using lab::accept_event;
using lab::accept_flavour;

/// The accept call that met the dead connection: what became of it.
struct meeting {
  const accept_event* call = nullptr;
  const accept_event* outcome = nullptr;
};

meeting find_meeting(const std::vector<accept_event>& events) {
  meeting found;
  const accept_event* call = nullptr;
  for (const accept_event& e : events) {
    if (e.what == accept_event::kind::called) call = &e;
    const bool dead =
        e.what == accept_event::kind::discarded || (e.what == accept_event::kind::handed_over && e.dead);
    if (dead && found.outcome == nullptr) found = {call, &e};
  }
  return found;
}

std::ptrdiff_t times_handed_over_dead(const lab::process& server) {
  return std::ranges::count_if(server.accepts(), [](const accept_event& e) {
    return e.what == accept_event::kind::handed_over && e.dead;
  });
}

bool answers(scene& s, lab::process& c, std::string_view line, std::chrono::milliseconds limit) {
  c.type(std::string(line) + "\n");
  return s.lab.until([&] { return c.output().contains(line) || c.ended(); }, limit) &&
         c.output().contains(line);
}

void prove_abort(scene& s, const lab::process& server, accept_flavour like,
                 const trace::connection& aborted) {
  const trace::flow& opener = aborted.of(trace::side::opener);
  s.prove(aborted.handshake_done && opener.rst, "SYN, SYN+ACK, ACK (" + scene::at(aborted.handshake_done) +
                                                    "), RST from the client (" + scene::at(opener.rst) + ")");
  const meeting m = find_meeting(server.accepts());
  s.prove(m.call != nullptr && opener.rst && m.call->packets >= opener.rst->number,
          "accept was called after it");
  if (std::ranges::find(server.accepts(), accept_event::kind::unseen, &accept_event::what) !=
      server.accepts().end())
    s.prove(false, "every accept was seen");
  const bool kept = like == accept_flavour::linux_kernel;
  s.prove(times_handed_over_dead(server) == (kept ? 1 : 0),
          kept ? "accept handed the dead connection over"
               : "the dead connection was discarded, and did not come back");
  s.prove_ending(ending::aborted_before_accept, trace::culprit::opener, aborted);
  if (like == accept_flavour::berkeley)
    s.never_shown_to(server,
                     "a Berkeley kernel drops a connection that is reset in the queue, and tells nobody");
  else
    s.reported_by(server);
}

template <accept_flavour Like>
void play(scene& s) {
  lab::process& server = s.serve({"echo"}, scene::port, Like);
  lab::process& first = s.call({"echo"});
  s.exchange(first, "one");

  lab::abort_before_accept(s.client, server, scene::port);
  const trace::connection* aborted = s.connection();
  s.fault(aborted->of(trace::side::opener).rst->when);
  s.lab.until([&] { return find_meeting(server.accepts()).outcome != nullptr; }, scene::soon);

  const bool should_block = s.naive() && Like == accept_flavour::berkeley;
  const bool serves_first = answers(s, first, "two", should_block ? 1s : scene::soon);
  const auto blocked_at = lab::experiment::now();
  // Its client may know of its death before its parent does.
  const bool died = !serves_first && s.lab.until_ended(server, 300ms);
  lab::process& next = s.call({"echo"});
  const bool serves_next = answers(s, next, "three", scene::soon);
  prove_abort(s, server, Like, *aborted);

  if (died)
    s.saw("server dies: " + last_error(server), server.ended()->when);
  else if (!serves_first)
    s.saw("server blocks in accept: the client it has gets no reply", blocked_at);
  else if (!serves_next)
    s.saw("the next client gets no reply: " + last_error(next));
  else
    s.saw("serves on");
  const std::string why = last_error(server);
  if (s.naive() && (Like == accept_flavour::posix || Like == accept_flavour::svr4))
    s.expect(died && server.ended()->code == 1 &&
                 why.contains(Like == accept_flavour::posix ? "ECONNABORTED" : "EPROTO"),
             "the naive server gives up");
  else if (s.naive() && Like == accept_flavour::berkeley)
    s.expect(!died && !serves_first && serves_next, "the naive server blocks until the next client comes");
  else
    s.expect(serves_first && serves_next, "the client it has and the next one are served");
}

constexpr variant variants[]{
    {"linux", "RST before accept; accept succeeds, as on Linux", play<accept_flavour::linux_kernel>},
    {"posix", "RST before accept; accept fails with ECONNABORTED", play<accept_flavour::posix>},
    {"svr4", "RST before accept; accept fails with EPROTO", play<accept_flavour::svr4>},
    {"berkeley", "RST before accept; the connection is gone when accept is called",
     play<accept_flavour::berkeley>},
};

}  // namespace

const situation abort_situation{"abort", "the connection is aborted before accept returns", variants};

}  // namespace halfopen::situation
