#include "situation/result.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "report/whole_number.hpp"

namespace halfopen::situation {
namespace {

constexpr std::array<const char*, 5> verdict_names{"met", "not met", "inconclusive", "broken",
                                                   "not applicable"};

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

std::string id_of(const result& r) {
  std::string id = r.situation + "/" + r.variant + " " + r.pair;
  if (r.round > 1) id += ", round " + std::to_string(r.round);
  return id;
}

void to_json(nlohmann::json& j, const three_views& v) {
  j = {{"done", v.done},
       {"packets", v.packets},
       {"reported", v.reported},
       {"agree", v.agree},
       {"because", v.because}};
}
void from_json(const nlohmann::json& j, three_views& v) {
  j.at("done").get_to(v.done);
  j.at("packets").get_to(v.packets);
  j.at("reported").get_to(v.reported);
  j.at("agree").get_to(v.agree);
  j.at("because").get_to(v.because);
}

void to_json(nlohmann::json& j, const result& r) {
  j = {{"situation", r.situation},
       {"variant", r.variant},
       {"pair", r.pair},
       {"round", r.round},
       {"verdict", to_string(r.verdict)},
       {"saw", r.saw},
       {"answer", r.answer},
       {"after_ms", r.after ? nlohmann::json(r.after->count()) : nlohmann::json()},
       {"settings", r.settings},
       {"at_kernel_defaults_computed", r.by_default_measured ? "" : r.by_default},
       {"at_kernel_defaults_measured", r.by_default_measured ? r.by_default : ""},
       {"at_kernel_defaults_ms",
        r.by_default_length ? nlohmann::json(r.by_default_length->count()) : nlohmann::json()},
       {"checks", r.checks},
       {"story", r.story},
       {"endings", r.endings ? nlohmann::json(*r.endings) : nlohmann::json()},
       {"evidence", r.evidence},
       {"problem", r.problem},
       {"took_ms", r.took.count()}};
}

void from_json(const nlohmann::json& j, result& r) {
  j.at("situation").get_to(r.situation);
  j.at("variant").get_to(r.variant);
  j.at("pair").get_to(r.pair);
  r.round = report::whole_number<std::size_t>(j.at("round"));
  r.verdict = parse_verdict(j.at("verdict").get<std::string>());
  j.at("saw").get_to(r.saw);
  j.at("answer").get_to(r.answer);
  if (!j.at("after_ms").is_null()) r.after = report::whole_milliseconds(j.at("after_ms"));
  j.at("settings").get_to(r.settings);
  if (!j.at("at_kernel_defaults_ms").is_null())
    r.by_default_length = report::whole_milliseconds(j.at("at_kernel_defaults_ms"));
  j.at("at_kernel_defaults_measured").get_to(r.by_default);
  r.by_default_measured = !r.by_default.empty();
  if (!r.by_default_measured) j.at("at_kernel_defaults_computed").get_to(r.by_default);
  j.at("checks").get_to(r.checks);
  j.at("story").get_to(r.story);
  if (!j.at("endings").is_null()) r.endings = j.at("endings").get<three_views>();
  j.at("evidence").get_to(r.evidence);
  j.at("problem").get_to(r.problem);
  r.took = report::whole_milliseconds(j.at("took_ms"));
}

}  // namespace halfopen::situation
