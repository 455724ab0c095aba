#include "judge/system/judged_link.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;

bool is_open(const trace::connection& c) {
  const auto &one = c.of(trace::side::opener), &other = c.of(trace::side::responder);
  return c.handshake_done && !one.rst && !other.rst && !one.fin && !other.fin;
}

void until_idle(judged_link& on) {
  on.world.go_on(2 * on.world.description.clean_limit, [&] { return on.world.probe().under_way() == 0; });
  const auto quiet_for = [&](milliseconds d) {
    return on.packets.delivered(lab::experiment::now() - d, on.world.lab.packets()) == 0;
  };
  on.world.go_on(300ms);
  // Whoever polls is never idle for long.
  const bool idle = (on.world.go_on(5s, [&] { return quiet_for(200ms); }) ||
                     on.world.go_on(5s, [&] { return quiet_for(20ms); })) &&
                    on.world.lab.until_quiet(50ms, 5s);
  on.proofs.prove(idle, "nothing is on its way between " + on.name.from + " and " + on.name.to);
}

/// Until a packet like that is on the cable. A service that spreads its asks over several hosts does not send
/// each of them over this link.
bool ask_until(judged_link& on, const lab::match& wanted) {
  constexpr int tries = 4;
  for (int i = 0; i < tries; ++i) {
    on.world.probe().ask_now();
    if (on.world.lab.before(wanted, on.soon)) return true;
  }
  return false;
}

void until_in_flight(judged_link& on) {
  if (!ask_until(on, on.to_dependency() && lab::payload()))
    throw no_verdict(obstacle::not_there,
                     fmt::format("an ask makes {} say nothing to {}", on.name.from, on.name.to));
  on.proofs.prove_current("a request is on its way");
}

void until_mid_reply(judged_link& on) {
  if (!ask_until(on, on.to_service() && lab::payload()))
    throw no_verdict(obstacle::not_there,
                     fmt::format("an ask makes {} say nothing to {}", on.name.to, on.name.from));
  const std::size_t length = on.world.lab.current().tcp.length;
  if (length < 2) throw no_verdict(obstacle::not_there, "the reply is one byte long, and has no middle");
  if (on.world.description.without_fault) return;
  const auto number = on.world.lab.current().number;
  const auto& dependency = on.dependency();
  const std::uint64_t said = on.world.lab.current_connection()->of(trace::side::responder).bytes;
  const auto opener = on.world.lab.current_connection()->opener;
  on.world.lab.lose(on.to_service() && lab::later_than(number));  // its rest, and its repeats
  on.world.lab.cut_current(length / 2);
  const std::uint64_t arrived = said - length + length / 2;
  on.proofs.prove_after(lab::on(opener) && lab::from(on.service()) && lab::acked(dependency, arrived),
                        fmt::format("{} of {} bytes of a reply's segment have arrived", length / 2, length));
  const auto* c = on.world.lab.current_connection();
  on.proofs.prove(c != nullptr && c->of(trace::side::responder).acked < said, "and the rest of it has not");
}

}  // namespace

lab::match judged_link::to_dependency() const {
  return lab::from(service()) && lab::to(dependency());
}
lab::match judged_link::to_service() const {
  return lab::from(dependency()) && lab::to(service());
}

std::vector<const trace::connection*> judged_link::open_connections() const {
  std::vector<const trace::connection*> all = world.lab.traffic().connections();
  std::erase_if(all, [&](const trace::connection* c) {
    return c->opener.address != service().address() || c->responder.address != dependency().address() ||
           !is_open(*c);
  });
  return all;
}

void reach(outage_moment when, judged_link& on) {
  switch (when) {
    case outage_moment::idle:
      return until_idle(on);
    case outage_moment::in_flight:
      return until_in_flight(on);
    case outage_moment::mid_reply:
      return until_mid_reply(on);
    case outage_moment::at_start:
      return;
  }
}

}  // namespace halfopen::judge
