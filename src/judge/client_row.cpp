#include "judge/client_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "judge/loss.hpp"
#include "judge/protocol.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

/// The client at the moment, and who plays the server.
struct reached {
  const lab::process* client = nullptr;  ///< null: it is started after the loss
  std::unique_ptr<server_part> peer;
};

/// A server that is started again must be the one that the client spoke to, and one that is told to stop is
/// the program: a recording never tells it what the client wrote.
reached begin(stage& s, loss how) {
  const bool needs_the_program = how == loss::reboot || how == loss::stop;
  const bool shall_end = how == loss::kill || how == loss::reset || how == loss::close_and_reset;
  reached r;
  r.peer = s.play_server(needs_the_program, shall_end);
  r.client = &s.call();
  return r;
}

reached connecting(stage& s, loss how) {
  reached r = begin(s, how);
  s.prove_before(lab::from(s.client) && lab::syn(), "the client's SYN is on its way");
  return r;
}

reached connected(stage& s, loss how) {
  reached r = begin(s, how);
  s.prove(r.peer->until_connected(s.soon), "the client connects");
  return r;
}

reached idle(stage& s, loss how) {
  const std::size_t turn = s.need_idle_turn();
  reached r = begin(s, how);
  s.prove(r.peer->until_idle(turn, std::max(s.soon, 2 * s.base.took)), "the connection is idle");
  if (how == loss::disowned)  // what follows the pause is on its way: a middlebox sees it first
    s.prove_before(lab::from(s.client) && lab::payload() && s.on_main(), "the client's next request");
  return r;
}

reached about_to_write(stage& s, loss how) {
  const asked request = s.need_request();
  if (request.client_before == 0)
    throw no_verdict(obstacle::not_there,
                     "the client writes only once: nothing is left to be written after the reset");
  reached r = begin(s, how);
  s.prove(r.peer->until_before_turn(request.turn, s.soon), "the client is about to write again");
  return r;
}

reached on_its_way(stage& s, loss how) {
  const asked request = s.need_request();
  reached r = begin(s, how);
  if (request.turn > 0)
    s.prove(r.peer->answer_until(request.turn, s.soon), "everything before the request is said");
  s.prove_on_its_way(request);
  return r;
}

/// With 0 bytes the request is acknowledged, and nothing is said.
reached replied(stage& s, loss how, std::optional<std::size_t> bytes) {
  const asked request = s.need_request(1, bytes.value_or(2));
  const auto in_tls = places_in_tls_reply(s.base.said.main(), request.turn);
  // Half of a TLS reply may be session tickets, of which no program is told.
  const std::size_t wanted = bytes.value_or(in_tls ? in_tls->in_its_last_record : request.reply / 2);
  reached r = begin(s, how);
  s.prove(r.peer->until_replied(request.turn, wanted, std::max(s.soon, 2 * s.base.took)),
          wanted == 0 ? "the request is acknowledged, and nothing of the reply is said"
                      : fmt::format("{} of {} bytes of the reply have arrived", wanted, request.reply));
  return r;
}

reached reach(stage& s, const client_row& row) {
  switch (row.when) {
    case moment::before_connect:
      if (!s.faulty() || row.how == loss::freeze) (void)s.serve();
      return {};
    case moment::connecting:
      return connecting(s, row.how);
    case moment::connected:
      return connected(s, row.how);
    case moment::idle:
      return idle(s, row.how);
    case moment::about_to_write:
      return about_to_write(s, row.how);
    case moment::on_its_way:
      return on_its_way(s, row.how);
    case moment::requested:
      return replied(s, row.how, 0);
    case moment::mid_reply:
      break;
  }
  return replied(s, row.how, row.bytes);
}

/// The server's FIN came to the client before the fault, and told it that all is over. One that was lost told
/// nothing, and one after the fault is of a connection that the server which is back has taken.
bool told_of_its_end(const trace::connection& c, trace::time_point fault_at) {
  const trace::flow& server = c.of(trace::side::responder);
  return server.fin && server.fin->when < fault_at && server.fin_acked;
}

}  // namespace

void play(stage& s, const client_row& row) {
  reached r = reach(s, row);
  lost_peer peer(s, row.how, subject::server, r.peer.get());
  const trace::connection* before = s.main_connection();
  peer.lose();
  if (r.client == nullptr) r.client = &s.call();
  peer.prove_at_once();
  s.judge_client(*r.client, peer.lives_on() ? r.peer.get() : nullptr);
  peer.prove_silence();
  if (row.how == loss::reboot)
    s.prove(before != nullptr && !told_of_its_end(*before, s.fault_at()),
            "the server had not closed the connection");
}

}  // namespace halfopen::judge
