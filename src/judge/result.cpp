#include "judge/result.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "report/whole_number.hpp"

namespace halfopen::judge {
namespace {

constexpr std::array<std::string_view, 5> verdict_names{"pass", "warn", "fail", "inconclusive",
                                                        "not applicable"};

constexpr std::array<std::string_view, 8> outcome_names{
    "unaffected",   "recovered", "reported", "crashed", "hangs", "spins", "tries again without end",
    "false success"};
constexpr std::array<std::string_view, 3> basis_names{"event", "time", "processor"};
constexpr std::array<std::string_view, 5> confirmation_names{"not needed", "wanted", "virtual clock", "alone",
                                                             "refuted"};
constexpr std::array<std::string_view, 3> source_names{"unknown", "computed", "measured"};

/// The enum's value with that name; an unknown name is the first one's, as of a file that a later
/// version wrote.
template <class Enum, std::size_t Count>
Enum named(const std::array<std::string_view, Count>& names, std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  return static_cast<Enum>(found == names.end() ? 0 : found - names.begin());
}

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

std::string_view to_string(subject s) noexcept {
  return s == subject::client ? "client" : "server";
}

std::string_view to_string(verdict v) noexcept {
  const auto index = static_cast<std::size_t>(v);
  return index < verdict_names.size() ? verdict_names[index] : "?";
}

std::optional<verdict> parse_verdict(std::string_view text) noexcept {
  const auto* found = std::ranges::find(verdict_names, text);
  if (found == verdict_names.end()) return std::nullopt;
  return static_cast<verdict>(found - verdict_names.begin());
}

std::string_view to_string(outcome o) noexcept {
  return outcome_names.at(static_cast<std::size_t>(o));
}
std::string_view to_string(confirmation c) noexcept {
  return confirmation_names.at(static_cast<std::size_t>(c));
}
std::string_view to_string(hang_length::source s) noexcept {
  return source_names.at(static_cast<std::size_t>(s));
}

static void to_json(nlohmann::json& j, const hang_length& l) {
  j = {{"source", to_string(l.how)}, {"words", l.words}};
  if (l.ends) j["ends_ms"] = l.ends->count();
}
static void from_json(const nlohmann::json& j, hang_length& l) {
  if (j.is_string()) {  // as it was before it had a source
    l.words = j.get<std::string>();
    return;
  }
  l.how = named<hang_length::source>(source_names, j.at("source").get<std::string>());
  read(j, "words", l.words);
  if (j.contains("ends_ms")) l.ends = report::whole_milliseconds(j["ends_ms"]);
}

static void to_json(nlohmann::json& j, const check& c) {
  j = {{"what", c.what}, {"holds", c.holds}, {"is_proof", c.is_proof}};
}
static void from_json(const nlohmann::json& j, check& c) {
  read(j, "what", c.what);
  read(j, "holds", c.holds);
  read(j, "is_proof", c.is_proof);
}
static void to_json(nlohmann::json& j, const drawn_packet& p) {
  j = {{"number", p.number}, {"at_ms", p.at_ms}, {"from", p.from},
       {"to", p.to},         {"label", p.label}, {"notes", p.notes}};
}
static void from_json(const nlohmann::json& j, drawn_packet& p) {
  read(j, "number", p.number);
  read(j, "at_ms", p.at_ms);
  read(j, "from", p.from);
  read(j, "to", p.to);
  read(j, "label", p.label);
  read(j, "notes", p.notes);
}
static void to_json(nlohmann::json& j, const program_event& e) {
  j = {{"at_ms", e.at_ms}, {"host", e.host}, {"what", e.what}};
}
static void from_json(const nlohmann::json& j, program_event& e) {
  read(j, "at_ms", e.at_ms);
  read(j, "host", e.host);
  read(j, "what", e.what);
}
static void to_json(nlohmann::json& j, const output& o) {
  j = {{"program", o.program}, {"stdout", o.out}, {"stderr", o.err}};
}
static void from_json(const nlohmann::json& j, output& o) {
  read(j, "program", o.program);
  read(j, "stdout", o.out);
  read(j, "stderr", o.err);
}

const std::string& what_happened(const case_result& r) noexcept {
  return r.reason.empty() ? r.happened : r.reason;
}

void to_json(nlohmann::json& j, const case_result& r) {
  j = {{"id", r.id},
       {"subject", to_string(r.who)},
       {"verdict", to_string(r.what)},
       {"rule", r.rule},
       {"done", r.done},
       {"expected", r.expected},
       {"happened", r.happened},
       {"cure", r.cure},
       {"reason", r.reason},
       {"length", r.length},
       {"checks", r.checks},
       {"story", r.story},
       {"packets", r.packets},
       {"events", r.events},
       {"outputs", r.outputs},
       {"evidence", r.evidence},
       {"took_ms", r.took.count()},
       {"rests_on", basis_names.at(static_cast<std::size_t>(r.rests_on))},
       {"confirmed", to_string(r.confirmed)},
       {"may_be_load", r.may_be_load},
       {"provisional", r.provisional},
       {"kept_waiting_ms", r.kept_waiting.count()}};
  if (r.did) j["outcome"] = to_string(*r.did);
  if (r.after) j["after_ms"] = r.after->count();
}

void from_json(const nlohmann::json& j, case_result& r) {
  j.at("id").get_to(r.id);
  const auto who = j.at("subject").get<std::string>();
  if (who != "client" && who != "server") throw std::invalid_argument("unknown subject " + who);
  r.who = who == "client" ? subject::client : subject::server;
  const auto v = parse_verdict(j.at("verdict").get<std::string>());
  if (!v) throw std::invalid_argument("unknown verdict " + j.at("verdict").get<std::string>());
  r.what = *v;
  read(j, "rule", r.rule);
  read(j, "done", r.done);
  read(j, "expected", r.expected);
  read(j, "happened", r.happened);
  read(j, "cure", r.cure);
  read(j, "reason", r.reason);
  if (j.contains("length")) j["length"].get_to(r.length);
  read(j, "checks", r.checks);
  read(j, "story", r.story);
  read(j, "packets", r.packets);
  read(j, "events", r.events);
  read(j, "outputs", r.outputs);
  read(j, "evidence", r.evidence);
  if (j.contains("rests_on")) r.rests_on = named<basis>(basis_names, j["rests_on"].get<std::string>());
  if (j.contains("confirmed"))
    r.confirmed = named<confirmation>(confirmation_names, j["confirmed"].get<std::string>());
  read(j, "may_be_load", r.may_be_load);
  read(j, "provisional", r.provisional);
  if (j.contains("outcome")) r.did = named<outcome>(outcome_names, j["outcome"].get<std::string>());
  if (j.contains("kept_waiting_ms")) r.kept_waiting = report::whole_milliseconds(j["kept_waiting_ms"]);
  if (j.contains("took_ms")) r.took = report::whole_milliseconds(j["took_ms"]);
  if (j.contains("after_ms")) r.after = report::whole_milliseconds(j["after_ms"]);
}

void to_json(nlohmann::json& j, const judgement& r) {
  nlohmann::json counts{{"all", r.results.size()}};
  for (std::size_t i = 0; i < verdict_names.size(); ++i)
    counts[std::string(verdict_names[i])] = count(r.results, static_cast<verdict>(i));
  j = {{"halfopen", r.version},       {"name", r.name},     {"server", r.server_command},
       {"client", r.client_command},  {"clock", r.clock},   {"date", r.date},
       {"ip_version", r.ip_version},  {"counts", counts},   {"remarks", r.remarks},
       {"repeat", r.repeat},          {"cases", r.results}, {"planned", r.planned},
       {"interrupted", r.interrupted}};
}

void from_json(const nlohmann::json& j, judgement& r) {
  j.at("cases").get_to(r.results);
  read(j, "halfopen", r.version);
  read(j, "name", r.name);
  read(j, "server", r.server_command);
  read(j, "client", r.client_command);
  read(j, "clock", r.clock);
  read(j, "date", r.date);
  read(j, "ip_version", r.ip_version);
  read(j, "remarks", r.remarks);
  read(j, "repeat", r.repeat);
  read(j, "planned", r.planned);
  read(j, "interrupted", r.interrupted);
}

std::string to_text(const nlohmann::json& j, int indent) {
  return j.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::size_t count(std::span<const case_result> results, verdict v) noexcept {
  return static_cast<std::size_t>(std::ranges::count(results, v, &case_result::what));
}

int exit_code_of(std::span<const case_result> results, bool strict) noexcept {
  if (count(results, verdict::fail) > 0 || (strict && count(results, verdict::warn) > 0)) return 1;
  return count(results, verdict::inconclusive) > 0 ? 4 : 0;
}

}  // namespace halfopen::judge
