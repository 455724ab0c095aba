#include "situation/result.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace halfopen::situation {
namespace {

constexpr std::array<const char*, 4> verdict_names{"met", "not met", "inconclusive", "broken"};

verdict parse_verdict(std::string_view name) {
  for (std::size_t i = 0; i < verdict_names.size(); ++i)
    if (name == verdict_names[i]) return static_cast<verdict>(i);
  return verdict::broken;
}

}  // namespace

const char* to_string(verdict v) noexcept {
  const auto index = static_cast<std::size_t>(v);
  return index < verdict_names.size() ? verdict_names[index] : "?";
}

void to_json(nlohmann::json& j, const check& c) {
  j = {{"what", c.what}, {"holds", c.holds}, {"kind", c.is_proof ? "proof" : "expectation"}};
}
void from_json(const nlohmann::json& j, check& c) {
  j.at("what").get_to(c.what);
  j.at("holds").get_to(c.holds);
  c.is_proof = j.at("kind") == "proof";
}

void to_json(nlohmann::json& j, const result& r) {
  j = {{"situation", r.situation},
       {"variant", r.variant},
       {"pair", r.pair},
       {"verdict", to_string(r.what)},
       {"saw", r.saw},
       {"after_ms", r.after ? nlohmann::json(r.after->count()) : nlohmann::json()},
       {"settings", r.settings},
       {"at_kernel_defaults_computed", r.by_default},
       {"checks", r.checks},
       {"story", r.story},
       {"evidence", r.evidence},
       {"problem", r.problem},
       {"took_ms", r.took.count()}};
}

std::string to_text(const result& r) {
  return nlohmann::json(r).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void from_json(const nlohmann::json& j, result& r) {
  j.at("situation").get_to(r.situation);
  j.at("variant").get_to(r.variant);
  j.at("pair").get_to(r.pair);
  r.what = parse_verdict(j.at("verdict").get<std::string>());
  j.at("saw").get_to(r.saw);
  if (!j.at("after_ms").is_null()) r.after = std::chrono::milliseconds(j.at("after_ms").get<std::int64_t>());
  j.at("settings").get_to(r.settings);
  j.at("at_kernel_defaults_computed").get_to(r.by_default);
  j.at("checks").get_to(r.checks);
  j.at("story").get_to(r.story);
  j.at("evidence").get_to(r.evidence);
  j.at("problem").get_to(r.problem);
  r.took = std::chrono::milliseconds(j.at("took_ms").get<std::int64_t>());
}

}  // namespace halfopen::situation
