#include "judge/result.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "play/words.hpp"
#include "report/whole_number.hpp"

namespace halfopen::judge {
namespace {

constexpr std::array<std::string_view, 5> confirmation_names{"not needed", "wanted", "virtual clock", "alone",
                                                             "refuted"};

/// The enum's value with that name; an unknown name is the first one's, as of a file that a later version
/// wrote. Beyond the last value to_string() gives "?".
template <class Enum>
void read_name(const nlohmann::json& j, const char* key, Enum& into) {
  if (!j.contains(key)) return;
  const auto name = j[key].get<std::string>();
  into = Enum{};
  for (int i = 0; to_string(static_cast<Enum>(i)) != "?"; ++i)
    if (to_string(static_cast<Enum>(i)) == name) into = static_cast<Enum>(i);
}

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 5> flag_names{{{trace::syn, "SYN"},
                                                                               {trace::fin, "FIN"},
                                                                               {trace::rst, "RST"},
                                                                               {trace::psh, "PSH"},
                                                                               {trace::ack, "ACK"}}};
constexpr std::array<std::string_view, 6> icmp_names{
    "none", "network unreachable", "host unreachable", "port unreachable", "prohibited", "other"};

template <class T>
void read(const nlohmann::json& j, const char* key, T& into) {
  const auto found = j.find(key);
  if (found == j.end()) return;
  if constexpr (std::integral<T> && !std::same_as<T, bool>)
    into = report::whole_number<T>(*found);
  else
    found->get_to(into);
}

}  // namespace

std::string_view to_string(confirmation c) noexcept {
  const auto index = static_cast<std::size_t>(c);
  return index < confirmation_names.size() ? confirmation_names[index] : "?";
}

std::string label_of(const seen_packet& p) {
  if (p.icmp != trace::unreachable::none)
    return p.icmp == trace::unreachable::net ? "ICMP: network unreachable" : "ICMP: host unreachable";
  std::string label;
  constexpr std::pair<std::uint8_t, const char*> names[]{
      {trace::syn, "SYN"}, {trace::fin, "FIN"}, {trace::rst, "RST"}, {trace::ack, "ACK"}};
  for (const auto& [bit, name] : names)
    if ((p.flags & bit) != 0) label += (label.empty() ? "" : " ") + std::string(name);
  if (p.length > 0)
    label += (label.empty() ? "" : ", ") + std::to_string(p.length) + (p.length == 1 ? " byte" : " bytes");
  return label;
}

static void to_json(nlohmann::json& j, const seen_packet& p) {
  std::vector<std::string_view> flags;
  for (const auto& [bit, name] : flag_names)
    if ((p.flags & bit) != 0) flags.push_back(name);
  j = {{"number", p.number},
       {"at_ms", p.at_ms},
       {"from", p.from},
       {"to", p.to},
       {"flags", flags},
       {"length", p.length},
       {"icmp", icmp_names.at(static_cast<std::size_t>(p.icmp))},
       {"became", lab::to_string(p.became)},
       {"label", label_of(p)},
       {"notes", p.notes}};
}
static void from_json(const nlohmann::json& j, seen_packet& p) {
  read(j, "number", p.number);
  read(j, "at_ms", p.at_ms);
  read(j, "from", p.from);
  read(j, "to", p.to);
  std::vector<std::string> flags;
  read(j, "flags", flags);
  for (const auto& [bit, name] : flag_names)
    if (std::ranges::find(flags, name) != flags.end()) p.flags |= bit;
  read(j, "length", p.length);
  if (j.contains("icmp")) {
    const auto found = std::ranges::find(icmp_names, j["icmp"].get<std::string>());
    if (found != icmp_names.end()) p.icmp = static_cast<trace::unreachable>(found - icmp_names.begin());
  }
  read_name(j, "became", p.became);
  read(j, "notes", p.notes);
}

static void to_json(nlohmann::json& j, const program_end& e) {
  j = {{"at_ms", e.at_ms},
       {"host", e.host},
       {"code", e.code},
       {"signal", e.signal},
       {"what", play::end_in_words(e.code, e.signal)}};
}
static void from_json(const nlohmann::json& j, program_end& e) {
  read(j, "at_ms", e.at_ms);
  read(j, "host", e.host);
  read(j, "code", e.code);
  read(j, "signal", e.signal);
}

static void to_json(nlohmann::json& j, const output& o) {
  j = {{"program", o.program}, {"stdout", o.out}, {"stderr", o.err}};
}
static void from_json(const nlohmann::json& j, output& o) {
  read(j, "program", o.program);
  read(j, "stdout", o.out);
  read(j, "stderr", o.err);
}

/// Of an outage. A file may say anything: what is no time of a case is refused.
static milliseconds time_of(const nlohmann::json& j) {
  constexpr milliseconds longest = std::chrono::years(1);
  const auto t = report::whole_milliseconds(j);
  if (t < -longest || t > longest) throw std::invalid_argument(j.dump() + " is no time of a case");
  return t;
}
static milliseconds duration_of(const nlohmann::json& j) {
  return std::max(time_of(j), milliseconds::zero());
}

static void to_json(nlohmann::json& j, const ask& a) {
  j = {{"what", to_string(a.what)},
       {"at_ms", a.begun.count()},
       {"took_ms", a.took.count()},
       {"how", to_string(a.how)},
       {"code", a.code},
       {"signal", a.signal},
       {"says", a.says}};
}
static void from_json(const nlohmann::json& j, ask& a) {
  read_name(j, "what", a.what);
  if (j.contains("at_ms")) a.begun = time_of(j["at_ms"]);
  if (j.contains("took_ms")) a.took = duration_of(j["took_ms"]);
  read_name(j, "how", a.how);
  read(j, "code", a.code);
  read(j, "signal", a.signal);
  read(j, "says", a.says);
}

static void to_json(nlohmann::json& j, const dependency_connection& c) {
  j = {{"opened_at_ms", c.opened.count()}, {"how", to_string(c.how)}};
  if (c.ended) j["ended_at_ms"] = c.ended->count();
}
static void from_json(const nlohmann::json& j, dependency_connection& c) {
  if (j.contains("opened_at_ms")) c.opened = time_of(j["opened_at_ms"]);
  if (j.contains("ended_at_ms")) c.ended = std::max(c.opened, time_of(j["ended_at_ms"]));
  read_name(j, "how", c.how);
}

static void to_json(nlohmann::json& j, const looked_at& l) {
  j = {{"look", to_string(l.at)},
       {"verdict", to_string(l.verdict)},
       {"outcome", to_string(l.did)},
       {"words", l.words}};
}
static void from_json(const nlohmann::json& j, looked_at& l) {
  read_name(j, "look", l.at);
  l.verdict = parse_verdict(j.at("verdict").get<std::string>()).value_or(verdict::inconclusive);
  read_name(j, "outcome", l.did);
  read(j, "words", l.words);
}

static void to_json(nlohmann::json& j, const judged_host& h) {
  j = {{"name", h.name}, {"command", h.command}, {"needs", h.needs}};
}
static void from_json(const nlohmann::json& j, judged_host& h) {
  read(j, "name", h.name);
  read(j, "command", h.command);
  read(j, "needs", h.needs);
}

const std::string& what_happened(const case_result& r) noexcept {
  return r.reason.empty() ? r.happened : r.reason;
}

void to_json(nlohmann::json& j, const case_result& r) {
  nlohmann::json length{{"source", to_string(r.length.how)}, {"words", r.length_words}};
  if (r.length.ends) length["ends_ms"] = r.length.ends->count();
  if (r.length.watched) {
    length["watched_ms"] = r.length.watched->count();
    if (r.length.how == hang_length::source::watched) length["attempts"] = r.length.attempts;
  }
  j = {{"id", r.id},
       {"subject", to_string(r.subject)},
       {"verdict", to_string(r.verdict)},
       {"obstacle", to_string(r.why)},
       {"peer", to_string(r.peer)},
       {"rests_on", to_string(r.rests_on)},
       {"confirmed", to_string(r.confirmed)},
       {"provisional", r.provisional},
       {"may_be_load", r.may_be_load},
       {"length", length},
       {"kept_waiting_ms", r.kept_waiting.count()},
       {"took_ms", r.took.count()},
       {"checks", r.checks},
       {"packets", r.packets},
       {"events", r.ends},
       {"outputs", r.outputs},
       {"evidence", r.evidence},
       {"rule", r.rule},
       {"done", r.done},
       {"expected", r.expected},
       {"happened", r.happened},
       {"cure", r.cure},
       {"reason", r.reason},
       {"story", r.story}};
  if (r.did) j["outcome"] = to_string(*r.did);
  if (r.after) j["after_ms"] = r.after->count();
  if (r.still_waiting) j["still_waiting_ms"] = r.still_waiting->count();
  if (r.fault_at_ms) j["fault_at_ms"] = *r.fault_at_ms;
  if (!r.service.empty()) j["service"] = r.service;
  if (!r.dependency.empty()) j["dependency"] = r.dependency;
  if (!r.asks.empty()) j["asks"] = r.asks;
  if (!r.looks.empty()) j["looks"] = r.looks;
  if (r.back_after) j["back_after_ms"] = r.back_after->count();
  if (!r.connections.empty()) j["connections"] = r.connections;
}

void from_json(const nlohmann::json& j, case_result& r) {
  j.at("id").get_to(r.id);
  const auto who = j.at("subject").get<std::string>();
  if (who != "client" && who != "server" && who != "service")
    throw std::invalid_argument("unknown subject " + who);
  r.subject = who == "client" ? subject::client : who == "server" ? subject::server : subject::service;
  const auto v = parse_verdict(j.at("verdict").get<std::string>());
  if (!v) throw std::invalid_argument("unknown verdict " + j.at("verdict").get<std::string>());
  r.verdict = *v;
  if (j.contains("outcome")) read_name(j, "outcome", r.did.emplace());
  read_name(j, "obstacle", r.why);
  read_name(j, "peer", r.peer);
  read_name(j, "rests_on", r.rests_on);
  read_name(j, "confirmed", r.confirmed);
  read(j, "provisional", r.provisional);
  read(j, "may_be_load", r.may_be_load);
  if (j.contains("fault_at_ms")) r.fault_at_ms = j["fault_at_ms"].get<double>();
  if (j.contains("after_ms")) r.after = report::whole_milliseconds(j["after_ms"]);
  if (j.contains("still_waiting_ms")) r.still_waiting = duration_of(j["still_waiting_ms"]);
  if (j.contains("length")) {
    const auto& length = j["length"];
    read_name(length, "source", r.length.how);
    read(length, "words", r.length_words);
    if (length.contains("ends_ms")) r.length.ends = report::whole_milliseconds(length["ends_ms"]);
    if (length.contains("watched_ms")) r.length.watched = report::whole_milliseconds(length["watched_ms"]);
    read(length, "attempts", r.length.attempts);
  }
  if (j.contains("kept_waiting_ms")) r.kept_waiting = report::whole_milliseconds(j["kept_waiting_ms"]);
  if (j.contains("took_ms")) r.took = report::whole_milliseconds(j["took_ms"]);
  read(j, "checks", r.checks);
  read(j, "packets", r.packets);
  read(j, "events", r.ends);
  read(j, "outputs", r.outputs);
  read(j, "service", r.service);
  read(j, "dependency", r.dependency);
  read(j, "asks", r.asks);
  read(j, "looks", r.looks);
  if (j.contains("back_after_ms")) r.back_after = duration_of(j["back_after_ms"]);
  read(j, "connections", r.connections);
  read(j, "evidence", r.evidence);
  read(j, "rule", r.rule);
  read(j, "done", r.done);
  read(j, "expected", r.expected);
  read(j, "happened", r.happened);
  read(j, "cure", r.cure);
  read(j, "reason", r.reason);
  read(j, "story", r.story);
}

std::vector<std::size_t> shards_played::missing() const {
  std::vector<std::size_t> others;
  for (std::size_t i = 1; i <= of; ++i)
    if (std::ranges::find(played, i) == played.end()) others.push_back(i);
  return others;
}

void to_json(nlohmann::json& j, const judgement& r) {
  nlohmann::json counts{{"all", r.results.size()}};
  for (const verdict v :
       {verdict::pass, verdict::warn, verdict::fail, verdict::inconclusive, verdict::not_applicable})
    counts[std::string(to_string(v))] = count(r.results, v);
  j = {{"halfopen", r.version},       {"name", r.name},     {"server", r.server_command},
       {"client", r.client_command},  {"clock", r.clock},   {"date", r.date},
       {"ip_version", r.ip_version},  {"counts", counts},   {"remarks", r.remarks},
       {"repeat", r.repeat},          {"cases", r.results}, {"planned", r.planned},
       {"interrupted", r.interrupted}};
  if (r.shards.of != 0) j["shards"] = {{"of", r.shards.of}, {"played", r.shards.played}};
  if (!r.hosts.empty()) j["hosts"] = r.hosts;
  if (!r.probe.empty()) j["probe"] = r.probe;
  if (!r.health.empty()) j["health"] = r.health;
  if (!r.other.empty()) j["other"] = r.other;
}

void from_json(const nlohmann::json& j, judgement& r) {
  j.at("cases").get_to(r.results);
  read(j, "halfopen", r.version);
  read(j, "name", r.name);
  read(j, "server", r.server_command);
  read(j, "client", r.client_command);
  read(j, "hosts", r.hosts);
  read(j, "probe", r.probe);
  read(j, "health", r.health);
  read(j, "other", r.other);
  read(j, "clock", r.clock);
  read(j, "date", r.date);
  read(j, "ip_version", r.ip_version);
  read(j, "remarks", r.remarks);
  read(j, "repeat", r.repeat);
  read(j, "planned", r.planned);
  read(j, "interrupted", r.interrupted);
  if (const auto shards = j.find("shards"); shards != j.end()) {
    read(*shards, "of", r.shards.of);
    read(*shards, "played", r.shards.played);
    if (r.shards.of > most_shards) throw std::invalid_argument("more shards than there can be");
  }
}

std::string to_text(const nlohmann::json& j, int indent) {
  return j.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::size_t count(std::span<const case_result> results, verdict v) noexcept {
  return static_cast<std::size_t>(std::ranges::count(results, v, &case_result::verdict));
}

int exit_code_of(std::span<const case_result> results, bool strict) noexcept {
  if (count(results, verdict::fail) > 0 || (strict && count(results, verdict::warn) > 0)) return 1;
  return count(results, verdict::inconclusive) > 0 ? 4 : 0;
}

}  // namespace halfopen::judge
