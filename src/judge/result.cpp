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
       {"took_ms", r.took.count()}};
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
  read(j, "length", r.length);
  read(j, "checks", r.checks);
  read(j, "story", r.story);
  read(j, "packets", r.packets);
  read(j, "events", r.events);
  read(j, "outputs", r.outputs);
  read(j, "evidence", r.evidence);
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
