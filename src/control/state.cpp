#include "control/state.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <nlohmann/json.hpp>

namespace halfopen::control {
namespace {

using nlohmann::json;

std::string_view to_string(judge::waiting w) noexcept {
  switch (w) {
    case judge::waiting::for_data:
      return "data";
    case judge::waiting::for_acknowledgement:
      return "acknowledgement";
    case judge::waiting::for_connection:
      return "connection";
  }
  return "data";
}

/// As ss(8) and netstat(8) call them.
std::string name_of_state(int state) {
  switch (state) {
    case TCP_ESTABLISHED:
      return "ESTABLISHED";
    case TCP_SYN_SENT:
      return "SYN-SENT";
    case TCP_SYN_RECV:
      return "SYN-RECV";
    case TCP_FIN_WAIT1:
      return "FIN-WAIT-1";
    case TCP_FIN_WAIT2:
      return "FIN-WAIT-2";
    case TCP_TIME_WAIT:
      return "TIME-WAIT";
    case TCP_CLOSE_WAIT:
      return "CLOSE-WAIT";
    case TCP_LAST_ACK:
      return "LAST-ACK";
    case TCP_CLOSING:
      return "CLOSING";
    default:
      return fmt::format("state {}", state);
  }
}

json or_null(const std::optional<milliseconds>& d) {
  return d ? json(d->count()) : json(nullptr);
}

json of(const host_state& h) {
  json made{
      {"name", h.name}, {"address", h.address}, {"up", h.up}, {"frozen", h.frozen}, {"listens", h.listens}};
  if (!h.name_moved_to.empty()) made["name_moved_to"] = h.name_moved_to;
  if (!h.instead_of.empty()) made["instead_of"] = h.instead_of;
  if (!h.program) {
    made["program"] = nullptr;
    return made;
  }
  made["program"] = {{"running", h.program->running}, {"since_ms", h.program->since.count()}};
  if (!h.program->running) made["program"].update({{"exit", h.program->code}, {"signal", h.program->signal}});
  return made;
}

json of(const link_condition_state& l) {
  json made{{"name", l.which.name()},
            {"from", l.which.from},
            {"to", l.which.to},
            {"cut", l.cut},
            {"unreachable", l.unreachable},
            {"delay_ms", l.delay.count()},
            {"lost_share", l.lost_share},
            {"connections", l.connections}};
  made["cut_after_bytes"] = l.cut_after_bytes ? json(*l.cut_after_bytes) : json(nullptr);
  return made;
}

json of(const std::optional<end_state>& e) {
  if (!e) return nullptr;
  json made{{"state", name_of_state(e->tcp_state)},
            {"unread", e->unread},
            {"unsent", e->unsent},
            {"owned", e->owned},
            {"waits_for", to_string(e->waits_for)}};
  made["would_hang"] = nullptr;
  if (const auto now = would_hang_for(*e))
    made["would_hang"] = {{"now_ms", or_null(*now)},
                          {"idle_ms", or_null(e->lengths->idle)},
                          {"in_flight_ms", or_null(e->lengths->in_flight)},
                          {"connecting_ms", or_null(e->lengths->connecting)}};
  if (e->options)
    made["options"] = {{"keepalive", e->options->keepalive},
                       {"keepalive_idle_s", e->options->idle.count()},
                       {"keepalive_interval_s", e->options->interval.count()},
                       {"keepalive_probes", e->options->probes},
                       {"user_timeout_ms", e->options->user_timeout.count()}};
  return made;
}

json of(const connection_state& c) {
  json made{{"from", c.host[0]},
            {"to", c.host[1]},
            {"opener", c.address[0]},
            {"responder", c.address[1]},
            {"half_open", c.is_half_open()},
            {"in_the_way", to_string(c.in_the_way)}};
  made["ends"] = {of(c.end[0]), of(c.end[1])};
  return made;
}

json of(const published_state& p) {
  return {{"outside", p.outside}, {"host", p.host}, {"port", p.port}, {"connections", p.connections}};
}

template <class T>
json each(const std::vector<T>& all) {
  json made = json::array();
  for (const T& one : all) made.push_back(of(one));
  return made;
}

}  // namespace

std::string_view to_string(obstruction o) noexcept {
  switch (o) {
    case obstruction::none:
      return "nothing";
    case obstruction::host_down:
      return "host_down";
    case obstruction::link_cut:
      return "link_cut";
    case obstruction::frozen:
      return "frozen";
    case obstruction::forgotten:
      return "forgotten";
  }
  return "nothing";
}

bool connection_state::is_half_open() const noexcept {
  for (const std::size_t side : {0U, 1U})
    if (end[side] && end[side]->tcp_state == TCP_ESTABLISHED && !end[1 - side]) return true;
  return false;
}

std::optional<std::optional<milliseconds>> would_hang_for(const end_state& e) {
  if (!e.lengths) return std::nullopt;
  switch (e.waits_for) {
    case judge::waiting::for_connection:
      return e.lengths->connecting;
    case judge::waiting::for_acknowledgement:
      return e.lengths->in_flight;
    case judge::waiting::for_data:
      break;
  }
  return e.lengths->idle;
}

json to_json_value(const system_state& s) {
  return {{"settings", s.settings},
          {"capture", s.capture.empty() ? json(nullptr) : json(s.capture)},
          {"up_for_ms", s.up_for.count()},
          {"packets", s.packets},
          {"steady", s.steady},
          {"hosts", each(s.hosts)},
          {"links", each(s.links)},
          {"connections", each(s.connections)},
          {"published", each(s.published)}};
}

}  // namespace halfopen::control
