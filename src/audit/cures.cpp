#include "audit/cures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "audit/services.hpp"
#include "audit/words.hpp"

namespace halfopen::audit {
namespace {

/// Later than that, or never. What is not known is no reason for a cure.
bool is_late(const notice& n, milliseconds within) {
  return n.known() && (!n.least || *n.least > within);
}

std::string drivers_words(const group& g) {
  const bool serves = g.opened_by == side::peer;
  const service* s = service_at(serves ? g.local.port : g.remote.port);
  if (s == nullptr) return {};
  const std::string_view words = serves ? s->server : s->client;
  return words.empty() ? std::string() : fmt::format(" In the words of {}: {}.", s->name, words);
}

std::string options_that_notice(const group& g, milliseconds within) {
  const liveness wanted = noticed_within(within);
  return fmt::format(
      "SO_KEEPALIVE, TCP_KEEPIDLE={}, TCP_KEEPINTVL={}, TCP_KEEPCNT={} and TCP_USER_TIMEOUT={} notice a dead "
      "peer "
      "within {}; or a deadline of the program's own.{}",
      wanted.idle.count(), wanted.interval.count(), wanted.probes, wanted.user_timeout.count(),
      in_words(within), drivers_words(g));
}

}  // namespace

std::vector<std::string> cures_of(const group& g, milliseconds within) {
  std::vector<std::string> all;
  for (const fault& f : g.faults) all.emplace_back(explain(f.what).advice);
  if (g.same_host) return all;
  if (g.state == socket_state::syn_sent && g.faults.empty() && is_late(g.at_risk.connecting, within))
    all.emplace_back(explain(wrong::connect_unanswered).advice);
  const bool open = g.state == socket_state::established || g.state == socket_state::close_wait;
  if (open && (is_late(g.at_risk.idle, within) || is_late(g.at_risk.in_flight, within)))
    all.push_back(options_that_notice(g, within));
  return all;
}

}  // namespace halfopen::audit
