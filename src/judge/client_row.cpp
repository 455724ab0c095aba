#include "judge/client_row.hpp"

#include <fmt/format.h>

#include <optional>

#include "judge/loss.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

/// The client at the moment, and who plays the server if it is not the program.
struct reached {
  const lab::process* client = nullptr;  ///< null: it is started after the loss
  std::optional<stand_in_server> peer;
};

reached with_recording(stage& s) {
  reached r;
  r.peer.emplace(s.play_server());
  r.client = &s.call();
  return r;
}

reached connected(stage& s) {
  reached r = with_recording(s);
  s.prove(r.peer->until_connected(s.soon), "the client connects");
  return r;
}

reached idle(stage& s, bool real) {
  if (real) return {.client = &s.until_idle_pair(), .peer = {}};
  s.need_replay_to_client();
  const std::size_t turn = s.need_idle_turn();
  reached r = with_recording(s);
  s.prove(r.peer->until_before_turn(turn, s.soon), "the connection is idle");
  return r;
}

/// What follows the pause is on its way: a middlebox sees it first.
reached idle_then_request(stage& s) {
  reached r = idle(s, false);
  s.prove_before(lab::from(s.client) && lab::payload() && s.on_main(), "the client's next request");
  return r;
}

reached about_to_write(stage& s) {
  s.need_replay_to_client();
  const asked request = s.need_request();
  if (request.client_before == 0)
    throw no_verdict(obstacle::not_there,
                     "the client writes only once: nothing is left to be written after the reset");
  reached r = with_recording(s);
  s.prove(r.peer->until_before_turn(request.turn, s.soon), "the client is about to write again");
  return r;
}

reached with_real_server(stage& s) {
  (void)s.serve();
  return {.client = &s.call(), .peer = {}};
}

reached on_its_way(stage& s, bool real) {
  if (!real) s.need_replay_to_client();
  const asked request = s.need_request();
  reached r = real ? with_real_server(s) : with_recording(s);
  if (r.peer && request.turn > 0)
    s.prove(r.peer->until_before_turn(request.turn, s.soon), "everything before the request is said");
  s.prove_on_its_way(request);
  return r;
}

/// With 0 bytes the request is read, or acknowledged, and nothing is said.
reached replied(stage& s, bool real, std::optional<std::size_t> bytes) {
  if (!real) s.need_replay_to_client();
  const asked request = s.need_request(1, bytes.value_or(2));
  const std::size_t wanted = bytes.value_or(request.reply / 2);
  if (real) return {.client = &s.until_replied(request, wanted), .peer = {}};
  reached r = with_recording(s);
  if (wanted == 0)
    s.prove(r.peer->until_request(request.turn, s.soon),
            "the request is acknowledged, and nothing of the reply is said");
  else
    s.prove(r.peer->until_replied(request.turn, wanted, s.soon),
            fmt::format("{} of {} bytes of the reply have arrived", wanted, request.reply));
  return r;
}

reached reach(stage& s, const client_row& row) {
  const bool real = row.how == loss::reboot || row.how == loss::stop;
  switch (row.when) {
    case moment::before_connect:
      if (!s.faulty() || row.how == loss::freeze) (void)s.serve();
      return {};
    case moment::connected:
      return connected(s);
    case moment::idle:
      return row.how == loss::disowned ? idle_then_request(s) : idle(s, real);
    case moment::about_to_write:
      return about_to_write(s);
    case moment::on_its_way:
      return on_its_way(s, real);
    case moment::requested:
      return replied(s, real, 0);
    case moment::mid_reply:
      break;
  }
  return replied(s, real, row.bytes);
}

}  // namespace

void play(stage& s, const client_row& row) {
  reached r = reach(s, row);
  lost_peer peer(s, row.how, subject::server, r.peer ? &*r.peer : nullptr);
  const trace::connection* before = s.main_connection();
  peer.lose();
  if (r.client == nullptr) r.client = &s.call();
  peer.prove_at_once();
  s.judge_client(*r.client, peer.lives_on() ? &*r.peer : nullptr);
  peer.prove_silence();
  if (row.how == loss::reboot)  // before the fault it would have told the client that all is over
    s.prove(before != nullptr && !before->of(trace::side::responder).fin,
            "the server had not closed the connection");
}

}  // namespace halfopen::judge
