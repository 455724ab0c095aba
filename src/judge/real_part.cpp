// The judged client and the real server, brought to an exact place of what they say to each other. A
// server that is started again must be the one that the client spoke to: a recording plays its part at
// any byte, and never tells it what the client wrote.
//
// The place is found by the packets of the main connection; what no program can be told to do, to stop
// in the middle of a reply, the cable does: it delivers a part of a segment and loses the rest.

#include <fmt/format.h>

#include <algorithm>

#include "judge/stage.hpp"

namespace halfopen::judge {

lab::match stage::on_main() const {
  return lab::match(
      [this](const lab::arrival& a) { return a.connection != nullptr && a.connection == main_connection(); });
}

const trace::connection* stage::main_connection() const {
  std::size_t before = base.said.main_index();
  for (const trace::connection* c : lab.traffic().connections()) {
    if (c->opener.address != client.address() || c->responder.port != port()) continue;
    if (before-- == 0) return c;
  }
  return nullptr;
}

bool stage::prove_on_its_way(const asked& request) {
  return prove_before(
      lab::from(client) && lab::payload() && on_main() && lab::said(client, request.client_before + 1),
      "the request is on its way");
}

bool stage::until_said(std::size_t by_client, std::size_t by_server) {
  return lab.until(
      [&] {
        const trace::connection* c = main_connection();
        return c != nullptr && c->of(trace::side::opener).acked >= by_client &&
               c->of(trace::side::responder).acked >= by_server;
      },
      std::max(soon, 2 * base.took));
}

lab::process& stage::until_idle_pair() {
  const std::size_t turn = need_idle_turn();
  const auto& script = base.said.main();
  (void)serve();
  lab::process& c = call();
  const std::size_t said = script.said_before(speaker::client, turn);
  const bool there = until_said(said, script.said_before(speaker::server, turn));
  lab.until_quiet(20ms, 200ms);
  const trace::connection* now = main_connection();
  prove(there && now != nullptr && now->of(trace::side::opener).bytes == said, "the connection is idle");
  return c;
}

lab::process& stage::until_replied(const asked& request, std::size_t bytes) {
  (void)serve();
  lab::process& c = call();
  if (bytes == 0) {
    prove_on_its_way(request);
    hold_server();  // it shall get the request, and say nothing
    prove_after(lab::from(server) && on_main() && lab::acked(client, request.client_before + 1),
                "the request is acknowledged, and nothing of the reply is said");
    return c;
  }
  const std::size_t wanted = request.server_before + bytes;
  const bool came =
      prove_before(lab::from(server) && lab::payload() && on_main() && lab::said(server, wanted),
                   fmt::format("byte {} of the reply is on its way", bytes));
  if (!came) return c;
  const lab::match later = [number = lab.current().number](const lab::arrival& a) {
    return a.packet->number > number;
  };
  lab.lose(lab::from(server) && on_main() && later);  // no more of the reply, until its host is back
  const std::size_t length = lab.current().tcp.length;
  const std::size_t said = main_connection()->of(trace::side::responder).bytes;
  const std::size_t part = wanted - std::min(wanted, said - std::min(said, length));
  if (part > 0 && part < length) lab.cut_current(part);
  prove_after(lab::from(client) && on_main() && lab::acked(server, wanted),
              fmt::format("{} of {} bytes of the reply have arrived", bytes, request.reply));
  return c;
}

bool stage::reboot_server() {
  std::vector<trace::endpoint> far_ends;
  for (const trace::connection* one : lab.traffic().connections())
    if (one->responder.address == server.address()) far_ends.push_back(one->opener);
  lab::reboot(server, disk());
  lab.release();
  const auto known = server.sockets();
  const bool forgotten = std::ranges::none_of(
      known, [&](const lab::socket_view& v) { return std::ranges::count(far_ends, v.remote) > 0; });
  (void)serve();
  return forgotten;
}

}  // namespace halfopen::judge
