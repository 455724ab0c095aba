// The state as a table: made of the JSON, since whoever shows it has nothing else.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "control/state.hpp"
#include "play/words.hpp"

namespace halfopen::control {

using nlohmann::json;

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
