#include "judge/system/system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <regex>

namespace halfopen::judge {
namespace {

/// So many are a namespace and a process each; the lab's addresses reach further.
constexpr std::size_t most_hosts = 40;

/// RFC 1123 section 2.1, but for dots and capitals; and '_', which many networks of containers allow.
bool is_host_name(const std::string& name) {
  const auto fits = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 32 && name.front() != '-' && std::ranges::all_of(name, fits);
}

bool is_regex(const std::string& text) {
  try {
    (void)std::regex(text);
  } catch (const std::regex_error&) {
    return false;
  }
  return true;
}

std::optional<std::string> problem_of_name(const system_host& h, const system& s) {
  const std::string which = "host '" + h.name + "'";
  if (!is_host_name(h.name))
    return which + ": a name has small letters, figures, '-' and '_', 32 at most, and no '-' in front";
  for (const char* taken : {user_host, witness_host, "router", "localhost"})
    if (h.name == taken) return which + ": the name is the lab's own; choose another one";
  if (std::ranges::count(s.hosts, h.name, &system_host::name) > 1) return which + " is there twice";
  return std::nullopt;
}

std::optional<std::string> problem_of(const system_host& h, const system& s) {
  const std::string which = "host '" + h.name + "'";
  if (h.command.find('\0') != std::string::npos) return which + ": run has a NUL character";
  if (h.command.empty()) return which + ": it has no command (run = \"...\")";
  if (!is_regex(h.ready)) return which + ": ready = \"" + h.ready + "\" is no regular expression";
  for (const std::string& e : h.environment)
    if (e.find('=') == std::string::npos || e.front() == '=')
      return which + ": env \"" + e + "\": expected NAME=VALUE";
  for (const std::string& needed : h.needs) {
    if (needed == h.name) return which + " needs itself";
    const system_host* there = s.find(needed);
    if (there == nullptr) return which + " needs '" + needed + "', and there is no such host";
    if (!there->serves) return which + " needs '" + needed + "', which serves nobody (serves = false)";
  }
  return std::nullopt;
}

/// Adds the host after what it needs; false if it needs itself in the end.
bool add_in_order(const system& s, const system_host& h, std::vector<const system_host*>& order,
                  std::vector<const system_host*>& under_way) {
  if (std::ranges::count(order, &h) > 0) return true;
  if (std::ranges::count(under_way, &h) > 0) return false;
  under_way.push_back(&h);
  for (const std::string& needed : h.needs)
    if (const auto* there = s.find(needed); there != nullptr && !add_in_order(s, *there, order, under_way))
      return false;
  under_way.pop_back();
  order.push_back(&h);
  return true;
}

std::optional<std::vector<const system_host*>> ordered(const system& s) {
  std::vector<const system_host*> order;
  std::vector<const system_host*> under_way;
  for (const system_host& h : s.hosts)
    if (!add_in_order(s, h, order, under_way)) return std::nullopt;
  return order;
}

}  // namespace

milliseconds system::patience() const noexcept {
  return first_look.count() > 0 ? std::min(first_look, limit) : limit;
}

const system_host* system::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(hosts, name, &system_host::name);
  return found == hosts.end() ? nullptr : &*found;
}

std::vector<link> system::links() const {
  std::vector<link> all;
  for (const system_host& h : hosts)
    if (h.judged)
      for (const std::string& needed : h.needs)
        if (std::ranges::count(all, link{h.name, needed}) == 0) all.push_back({h.name, needed});
  return all;
}

std::vector<const system_host*> system::start_order() const {
  return ordered(*this).value_or(std::vector<const system_host*>{});
}

std::string spare_of(const std::string& host) {
  return host + "-spare";
}

std::optional<std::string> problem_of(const system& s) {
  if (s.hosts.empty()) return "there is no host: name at least a dependency and a service that needs it";
  if (s.hosts.size() > most_hosts) return fmt::format("more than {} hosts", most_hosts);
  for (const system_host& h : s.hosts)
    if (auto problem = problem_of_name(h, s)) return problem;
  for (const system_host& h : s.hosts)
    if (auto problem = problem_of(h, s)) return problem;
  if (!ordered(s)) return "the hosts need each other in a circle; which one is to be started first?";
  const auto all = s.links();
  for (const link& l : all)
    if (std::ranges::count(all, l.name(), &link::name) > 1)
      return "two links have the name " + l.name() + ": rename a host";
  for (const system_host& h : s.hosts)
    if (s.find(spare_of(h.name)) != nullptr)
      return "host '" + spare_of(h.name) + "': the name is the lab's own; choose another one";
  if (all.empty())
    return "no host that is judged needs another one: say needs = [\"...\"] at the service's host";
  if (s.ask.probe.empty())
    return "there is no probe: a command that asks the service, such as 'curl -fsS http://service:3000/'";
  return std::nullopt;
}

void to_json(nlohmann::json& j, const system& s) {
  j = {{"probe", s.ask.probe},
       {"health", s.ask.health},
       {"other", s.ask.other},
       {"environment", s.environment},
       {"limit_ms", s.limit.count()},
       {"first_look_ms", s.first_look.count()},
       {"recover_ms", s.recover.count()},
       {"clean_limit_ms", s.clean_limit.count()},
       {"ip", s.ip == lab::ip_version::v6 ? 6 : 4},
       {"virtual_clock", s.virtual_clock},
       {"disk_lost", s.disk_lost},
       {"without_fault", s.without_fault}};
  for (const system_host& h : s.hosts) {
    nlohmann::json one{
        {"name", h.name},    {"command", h.command}, {"needs", h.needs},   {"environment", h.environment},
        {"root", h.root},    {"ready", h.ready},     {"judged", h.judged}, {"restart", h.restart},
        {"serves", h.serves}};
    if (h.port) one["port"] = *h.port;
    j["hosts"].push_back(std::move(one));
  }
}

void from_json(const nlohmann::json& j, system& s) {
  j.at("probe").get_to(s.ask.probe);
  j.at("health").get_to(s.ask.health);
  j.at("other").get_to(s.ask.other);
  j.at("environment").get_to(s.environment);
  const std::array times{std::pair{"limit_ms", &s.limit}, std::pair{"first_look_ms", &s.first_look},
                         std::pair{"recover_ms", &s.recover}, std::pair{"clean_limit_ms", &s.clean_limit}};
  for (const auto& [key, into] : times) *into = milliseconds(j.at(key).get<std::int64_t>());
  s.ip = j.at("ip").get<int>() == 6 ? lab::ip_version::v6 : lab::ip_version::v4;
  j.at("virtual_clock").get_to(s.virtual_clock);
  j.at("disk_lost").get_to(s.disk_lost);
  j.at("without_fault").get_to(s.without_fault);
  s.hosts.clear();
  for (const nlohmann::json& one : j.at("hosts")) {
    system_host h;
    one.at("name").get_to(h.name);
    one.at("command").get_to(h.command);
    one.at("needs").get_to(h.needs);
    one.at("environment").get_to(h.environment);
    one.at("root").get_to(h.root);
    one.at("ready").get_to(h.ready);
    one.at("judged").get_to(h.judged);
    one.at("restart").get_to(h.restart);
    one.at("serves").get_to(h.serves);
    if (one.contains("port")) h.port = one["port"].get<std::uint16_t>();
    s.hosts.push_back(std::move(h));
  }
}

}  // namespace halfopen::judge
