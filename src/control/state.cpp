#include "control/state.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/tcp.h>

#include <nlohmann/json.hpp>

#include "play/words.hpp"

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

// ---- the table, of the JSON, since the reader has nothing else

namespace {

std::string length_in_words(const json& ms) {
  return ms.is_null() ? "for ever" : play::in_words(milliseconds(ms.get<std::int64_t>()));
}

std::string program_in_words(const json& h) {
  if (!h.at("up").get<bool>()) return "the host is down";
  const json& p = h.at("program");
  if (p.is_null()) return "no program";
  const auto since = play::in_words(milliseconds(p.at("since_ms").get<std::int64_t>()));
  if (!p.at("running").get<bool>())
    return fmt::format("its command has ended: {}, {} ago",
                       play::end_in_words(p.at("exit").get<int>(), p.at("signal").get<int>()), since);
  return h.at("frozen").get<bool>() ? "frozen" : "runs, for " + since;
}

std::string notes_on(const json& h) {
  std::string text = fmt::format("{}", fmt::join(h.at("listens").get<std::vector<std::string>>(), ", "));
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (h.contains("name_moved_to")) add("its name gives " + h.at("name_moved_to").get<std::string>());
  if (h.contains("instead_of")) add("in the place of " + h.at("instead_of").get<std::string>());
  return text;
}

std::string condition_in_words(const json& l) {
  if (l.at("unreachable").get<bool>()) return "cut, and a router says so";
  if (l.at("cut").get<bool>()) return "cut";
  if (!l.at("cut_after_bytes").is_null())
    return fmt::format("will be cut after {} more bytes", l.at("cut_after_bytes").get<std::uint64_t>());
  if (const auto ms = l.at("delay_ms").get<std::int64_t>(); ms > 0)
    return "each packet takes " + play::in_words(milliseconds(ms)) + " longer";
  if (const auto share = l.at("lost_share").get<double>(); share > 0)
    return fmt::format("{}% of the packets are lost", share * 100);
  return "whole";
}

std::string way_in_words(const std::string& in_the_way) {
  return in_the_way == "host_down"   ? "the other host is down"
         : in_the_way == "link_cut"  ? "the link is cut"
         : in_the_way == "frozen"    ? "the other side is frozen"
         : in_the_way == "forgotten" ? "half-open: the other side does not know it"
                                     : "";
}

std::string options_in_words(const json& end) {
  if (!end.contains("options")) return "";
  const json& o = end.at("options");
  std::string text =
      o.at("keepalive").get<bool>()
          ? fmt::format("SO_KEEPALIVE {}/{}/{}", o.at("keepalive_idle_s").get<std::int64_t>(),
                        o.at("keepalive_interval_s").get<std::int64_t>(), o.at("keepalive_probes").get<int>())
          : "no keepalive";
  if (const auto ms = o.at("user_timeout_ms").get<std::int64_t>(); ms > 0)
    text += fmt::format(", TCP_USER_TIMEOUT {}", ms);
  return text;
}

std::string hang_in_words(const json& end) {
  const json& h = end.at("would_hang");
  if (!end.at("owned").get<bool>()) return "its program has closed it";
  if (h.is_null()) return "not known";
  const std::string waits = end.at("waits_for").get<std::string>();
  const std::string now = length_in_words(h.at("now_ms"));
  if (waits == "connection") return now + ", connecting";
  if (waits == "acknowledgement") return now + ", data is in flight";
  return fmt::format("{} idle, {} in flight", now, length_in_words(h.at("in_flight_ms")));
}

std::string table_of_hosts(const json& state, const report::canvas& where) {
  report::text_table table({{"host", 4}, {"address", 8}, {"its command", 10}, {"listens", 8, 60, 2}});
  table.make_compact();
  for (const json& h : state.at("hosts"))
    table.add_row({h.at("name").get<std::string>(),
                   h.at("address").get<std::string>(),
                   {program_in_words(h), h.at("up").get<bool>() ? report::colour::none : report::colour::red},
                   notes_on(h)});
  return table.render(where);
}

std::string table_of_links(const json& state, const report::canvas& where) {
  report::text_table table({{"link", 6}, {"condition", 10}, {"connections", 4}});
  table.make_compact();
  for (const json& l : state.at("links"))
    table.add_row({l.at("name").get<std::string>(), condition_in_words(l),
                   std::to_string(l.at("connections").get<std::uint64_t>())});
  return table.render(where);
}

std::string table_of_connections(const json& state, const report::canvas& where) {
  report::text_table table({{"connection", 12, 46, 2},
                            {"end", 4},
                            {"state", 8},
                            {"would hang", 8, 46, 2},
                            {"by", 8, 40, 2},
                            {"in the way", 6, 44, 2}});
  table.make_compact();
  for (const json& c : state.at("connections")) {
    std::string name = c.at("opener").get<std::string>() + " -> " + c.at("responder").get<std::string>();
    for (const std::size_t side : {0U, 1U}) {
      const json& end = c.at("ends").at(side);
      if (end.is_null()) continue;
      table.add_row({std::exchange(name, ""),
                     c.at(side == 0 ? "from" : "to").get<std::string>(),
                     end.at("state").get<std::string>(),
                     hang_in_words(end),
                     options_in_words(end),
                     {way_in_words(c.at("in_the_way").get<std::string>()), report::colour::red}});
    }
  }
  return table.empty() ? "no connections\n" : table.render(where);
}

}  // namespace

std::optional<std::string> to_text(const json& state, const report::canvas& where) {
  try {
    std::string text = table_of_hosts(state, where) + "\n" + table_of_links(state, where) + "\n" +
                       table_of_connections(state, where);
    for (const json& p : state.at("published"))
      text += fmt::format("\npublished: {} -> {}:{}", p.at("outside").get<std::string>(),
                          p.at("host").get<std::string>(), p.at("port").get<int>());
    text += fmt::format("\nup for {}, {} packets{}\n",
                        play::in_words(milliseconds(state.at("up_for_ms").get<std::int64_t>())),
                        state.at("packets").get<std::uint64_t>(),
                        state.at("capture").is_null() ? "" : ": " + state.at("capture").get<std::string>());
    return text;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace halfopen::control
