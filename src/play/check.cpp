#include "play/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/whole_number.hpp"

namespace halfopen::play {

std::string in_words(const check& c) {
  return c.packet ? fmt::format("{} (packet {})", c.what, *c.packet) : c.what;
}

std::optional<std::size_t> first_unproved(std::span<const check> checks) noexcept {
  const auto found = std::ranges::find_if(checks, [](const check& c) { return c.is_proof && !c.holds; });
  if (found == checks.end()) return std::nullopt;
  return static_cast<std::size_t>(found - checks.begin());
}

bool all_as_expected(std::span<const check> checks) noexcept {
  return std::ranges::all_of(checks, [](const check& c) { return c.holds || c.is_proof; });
}

void to_json(nlohmann::json& j, const check& c) {
  j = {{"what", c.what},
       {"holds", c.holds},
       {"is_proof", c.is_proof},
       {"kind", c.is_proof ? "proof" : "expectation"}};
  if (c.packet) j["packet"] = *c.packet;
}

void from_json(const nlohmann::json& j, check& c) {
  c.what = j.value("what", std::string());
  c.holds = j.value("holds", false);
  c.is_proof = j.value("is_proof", false);
  if (j.contains("packet")) c.packet = report::whole_number<std::uint64_t>(j["packet"]);
}

}  // namespace halfopen::play
