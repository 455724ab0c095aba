// Lines of JSON: whoever has a hundred thousand connections wants jq, not one document.

#include <nlohmann/json.hpp>

#include "audit/report.hpp"
#include "audit/words.hpp"

namespace halfopen::audit {
namespace {

using nlohmann::json;

double seconds(milliseconds d) {
  return static_cast<double>(d.count()) / 1000;
}

json json_of(const trace::endpoint& e) {
  return {{"address", e.address.to_string()}, {"port", e.port}};
}

json json_of(const fault& f) {
  json j{{"what", to_string(f.what)}, {"count", f.count}};
  if (f.lasted.count() > 0) j["lasted_s"] = seconds(f.lasted);
  if (f.ends.least) j["given_up_in_s"] = seconds(*f.ends.least);
  return j;
}

json options_json(const std::optional<socket_options>& o) {
  if (!o) return nullptr;
  json j{{"SO_KEEPALIVE", o->live.keepalive}, {"TCP_USER_TIMEOUT", o->live.user_timeout.count()}};
  if (o->live.keepalive) {
    j["TCP_KEEPIDLE"] = o->live.idle.count();
    j["TCP_KEEPINTVL"] = o->live.interval.count();
    j["TCP_KEEPCNT"] = o->live.probes;
  }
  if (o->syn_retries) j["TCP_SYNCNT"] = *o->syn_retries;
  if (o->rto_max) j["TCP_RTO_MAX_MS"] = o->rto_max->count();
  return j;
}

json process_json(std::uint32_t number, const snapshot& in) {
  if (number == none) return nullptr;
  const process& p = in.processes.at(number);
  return {{"pid", p.pid}, {"name", p.name}, {"uid", p.user}, {"container", p.container}};
}

std::string line(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string json_line(const event& e) {
  json j{{"kind", "event"},
         {"event", to_string(e.what)},
         {"time", seconds(std::chrono::duration_cast<milliseconds>(e.when.time_since_epoch()))},
         {"pid", e.pid == 0 ? json(nullptr) : json(e.pid)},
         {"name", e.name},
         {"network", e.network},
         {"local", json_of(e.socket.local)},
         {"remote", json_of(e.socket.remote)},
         {"opened_by", to_string(e.socket.opened_by)}};
  if (e.what == event::kind::opened) j["noticed_idle"] = json_of(e.at_risk.idle);
  if (e.what == event::kind::wrong || e.what == event::kind::recovered) j["wrong"] = json_of(e.found);
  if (e.what == event::kind::ended) {
    j["how"] = e.ended.how ? json(to_string(*e.ended.how)) : json(nullptr);
    if (e.ended.or_else) j["or_else"] = to_string(*e.ended.or_else);
    j["by"] = to_string(e.ended.by);
    j["reset"] = e.ended.rst == reset::not_known ? json(nullptr) : json(to_string(e.ended.rst));
    if (!e.ended.reason.empty()) j["reset_reason"] = e.ended.reason;
    j["aborted"] = e.ended.aborted;
    j["opened"] = e.ended.opened;
    j["silence_s"] = seconds(e.ended.silence);
    j["retransmits"] = e.ended.repeated;
    if (e.ended.segments_repeated) j["segments_repeated"] = *e.ended.segments_repeated;
    j["between_looks"] = e.between_looks;
  }
  return line(j);
}

std::string json_line(const passed& p) {
  std::uint64_t all = 0;
  json by = json::object();
  for (const auto& [name, n] : p) {
    all += n;
    if (!name.empty()) by[name] = n;
  }
  return line({{"kind", "passed"}, {"count", all}, {"by_process", by}});
}

json json_of(const notice& n) {
  json j{{"by", to_string(n.by)}};
  j["at_least_s"] = n.least ? json(seconds(*n.least)) : json(nullptr);
  j["at_most_s"] = n.most ? json(seconds(*n.most)) : json(nullptr);
  return j;
}

json json_of(const tcp_socket& s, const snapshot& in) {
  const network& net = in.networks.at(s.network);
  json j{{"kind", s.state == socket_state::listen ? "listener" : "connection"},
         {"process", process_json(s.process, in)},
         {"network", {{"inode", net.inode}, {"name", net.name}}},
         {"state", to_string(s.state)},
         {"local", json_of(s.local)},
         {"remote", json_of(s.remote)},
         {"opened_by", to_string(s.opened_by)},
         {"same_host", s.stays_on_host()},
         {"receive_queue", s.receive_queue},
         {"send_queue", s.send_queue}};
  if (s.descriptor >= 0) j["descriptor"] = s.descriptor;
  if (s.dropped) j["dropped"] = *s.dropped;
  if (s.state == socket_state::close) j["error_waits"] = s.error_waits;
  if (s.figures && s.state != socket_state::listen) {
    const tcp_figures& f = *s.figures;
    if (f.was_open()) {
      j["idle_s"] = seconds(f.idle());
      j["silent_s"] = seconds(f.silent());
    }
    j["round_trip_ms"] = static_cast<double>(f.round_trip.count()) / 1000;
    j["retransmits"] = f.retransmits;
    j["backoff"] = f.backoff;
    j["probes"] = f.probes;
  }
  if (s.state == socket_state::listen) return j;
  j["options"] = options_json(s.options);
  const risk r = risk_of(s, in);
  j["noticed"] = {{"now", json_of(r.now)}};
  if (s.state == socket_state::syn_sent) {
    j["noticed"]["connecting"] = json_of(r.connecting);
  } else {
    j["noticed"]["idle"] = json_of(r.idle);
    j["noticed"]["in_flight"] = json_of(r.in_flight);
  }
  return j;
}

void each_json_line(const snapshot& s, std::span<const group> all, std::optional<milliseconds> limit,
                    const std::function<void(const std::string&)>& take) {
  std::size_t connections = 0, broken = 0;
  for (const group& g : all) {
    json faults = json::array();
    for (const fault& f : g.faults) faults.push_back(json_of(f));
    for (const std::uint32_t i : g.sockets) {
      json j = json_of(s.sockets.at(i), s);
      j["wrong"] = faults;
      if (limit) {
        const auto w = notices_within(s.sockets[i], risk_of(s.sockets[i], s), *limit);
        j["within"] = !w ? json(nullptr)
                         : json(*w == within::yes  ? "yes"
                                : *w == within::no ? "no"
                                                   : "not known");
      }
      take(line(j));
    }
    if (!g.faults.empty()) broken += g.sockets.size();
    if (g.state != socket_state::listen) connections += g.sockets.size();
  }
  for (const hidden& h : s.not_seen)
    take(line({{"kind", "not_seen"}, {"pid", h.pid}, {"name", h.name}, {"why", in_words(h.what)}}));
  json networks = json::array();
  for (const network& n : s.networks) {
    json j{{"inode", n.inode}, {"name", n.name}, {"listed", n.listed}};
    if (n.listen_overflows) j["listen_overflows"] = *n.listen_overflows;
    networks.push_back(j);
  }
  json sum{{"kind", "sum"},   {"connections", connections},    {"groups", all.size()},
           {"wrong", broken}, {"not_seen", s.not_seen.size()}, {"networks", networks}};
  if (limit) {
    const within w = all_notice_within(s, *limit);
    sum["within"] = w == within::yes ? "yes" : w == within::no ? "no" : "not known";
  }
  take(line(sum));
}

}  // namespace halfopen::audit
