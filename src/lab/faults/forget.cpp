#include <algorithm>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {
namespace {

/// Neither reset nor closed by both sides.
bool is_open(const trace::connection& c) {
  const auto &one = c.of(trace::side::opener), &other = c.of(trace::side::responder);
  return !one.rst && !other.rst && !(one.fin && other.fin);
}

}  // namespace

void forget(experiment& lab, const trace::endpoint& opener) {
  lab.note("a middlebox forgets the connection, and drops its packets");
  lab.lose(on(opener) && !syn());
}

std::size_t forget_connections(host& a, host& b, forgotten how) {
  const auto between = [&](const trace::connection& c) {
    return (c.opener.address == a.address() && c.responder.address == b.address()) ||
           (c.opener.address == b.address() && c.responder.address == a.address());
  };
  std::vector<std::uint64_t> first_packets;
  for (const trace::connection* c : a.lab().traffic().connections())
    if (between(*c) && is_open(*c)) first_packets.push_back(c->first.number);
  a.lab().note("a middlebox forgets the connections between " + a.name() + " and " + b.name() +
               (how == forgotten::silently ? ", and drops their packets" : ", and answers them with RST"));
  match forgotten_ones([first_packets](const arrival& x) {
    return x.connection != nullptr && std::ranges::count(first_packets, x.connection->first.number) > 0;
  });
  cable& wire = host_access::wire(a);
  how == forgotten::silently ? wire.lose(std::move(forgotten_ones)) : wire.disown(std::move(forgotten_ones));
  return first_packets.size();
}

void answer_as_forgotten(experiment& lab) {
  lab.note("a middlebox has forgotten the connection, and answers its packets with RST");
  lab.reset_current();
}

}  // namespace halfopen::lab
