// Something in between forgets the connection: a NAT or a firewall drops its state for want of traffic.

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* rule =
    "a NAT may forget an idle connection after two hours and four minutes, and many do sooner (RFC 5382 "
    "section 5)";

/// The connection as it is now, and no later one.
lab::match of_the_old_connection(const trace::endpoint& opener) {
  return lab::match([opener, syn_begins = lab::syn()](const lab::arrival& a) {
    return a.connection != nullptr && a.connection->opener == opener && !syn_begins(a);
  });
}

void forgotten(stage& s) {
  s.need_replay_to_client();
  const std::size_t turn = s.need_idle_turn();
  stand_in_server peer = s.play_server();
  lab::process& c = s.call();
  s.prove(peer.until_before_turn(turn, s.soon), "the connection is idle");
  s.inject([&] {
    s.lab.note("a middlebox forgets the connection, and drops its packets");
    s.lab.lose(of_the_old_connection(peer.peer()));
  });
  s.prove_after(lab::retransmission(s.client) && s.on_main(),
                "the client's next request is repeated, and never answered");
  s.judge_client(c, peer);
}

void answered_with_reset(stage& s) {
  s.need_replay_to_client();
  const std::size_t turn = s.need_idle_turn();
  stand_in_server peer = s.play_server();
  lab::process& c = s.call();
  s.prove(peer.until_before_turn(turn, s.soon), "the connection is idle");
  s.prove_before(lab::from(s.client) && lab::payload() && s.on_main(), "the client's next request");
  s.inject([&] {
    s.lab.note("a middlebox has forgotten the connection, and answers its packets with RST");
    s.lab.reset_current();
  });
  s.prove_after(lab::to(s.client) && lab::reset(), "RST from the middlebox");
  s.judge_client(c, peer);
}

constexpr judge_case cases[]{
    {"idle/1", subject::client, "a middlebox drops the idle connection's state silently", rule, forgotten},
    {"idle/2", subject::client, "a middlebox that has dropped the state answers with RST", rule,
     answered_with_reset},
};

}  // namespace

const family idle_family{"idle", "something in between forgets the connection", cases};

}  // namespace halfopen::judge
