#include "judge/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "judge/case.hpp"

namespace halfopen::judge {
namespace {

constexpr auto worse = [](verdict a, verdict b) {
  constexpr auto rank = [](verdict v) {
    switch (v) {
      case verdict::fail:
        return 4;
      case verdict::warn:
        return 3;
      case verdict::inconclusive:
        return 2;
      case verdict::pass:
        return 1;
      case verdict::not_applicable:
        return 0;
    }
    return 0;
  };
  return rank(a) > rank(b);
};

bool same_pair(const judgement& a, const judgement& b) {
  return a.name == b.name && a.server_command == b.server_command && a.client_command == b.client_command &&
         a.hosts == b.hosts && a.probe == b.probe && a.clock == b.clock && a.ip_version == b.ip_version;
}

bool of_an_outage(const case_result& r) {
  return r.subject == subject::service;
}

/// Place in the catalogue, whatever the link; what is unknown comes last.
std::ptrdiff_t place_of(const case_result& r) {
  static const auto all = [] {
    auto cases = all_cases();
    for (const judge_case* outage : all_outages()) cases.push_back(outage);
    return cases;
  }();
  const std::string_view id = std::string_view(r.id).substr(0, of_an_outage(r) ? r.id.find('@') : r.id.npos);
  return std::ranges::find(all, id, [](const judge_case* c) { return c->id; }) - all.begin();
}

/// Cases that the parts were to play together. Shards share none; whoever has played one twice has
/// repeated the whole.
std::size_t planned_in_both(const judgement& whole, const judgement& part, bool repeated) {
  if (whole.planned == 0 || part.planned == 0) return 0;
  if (repeated) return std::max(whole.planned, part.planned);
  static const auto catalogue = all_cases();
  const auto known = [](const case_result& r) {
    return place_of(r) < static_cast<std::ptrdiff_t>(catalogue.size());
  };
  const std::size_t both = whole.planned + part.planned;
  const bool all_known =
      std::ranges::all_of(whole.results, known) && std::ranges::all_of(part.results, known);
  return all_known ? std::min(both, std::max({whole.planned, part.planned, catalogue.size()})) : both;
}

/// Of shards of different divisions nobody knows whether they are all; who has played the whole needs none.
shards_played joined(const judgement& whole, const judgement& part) {
  if (whole.shards.of != part.shards.of) return {};
  shards_played both = whole.shards;
  for (const std::size_t one : part.shards.played)
    if (std::ranges::find(both.played, one) == both.played.end()) both.played.push_back(one);
  std::ranges::sort(both.played);
  return both;
}

void take_in(judgement& whole, judgement part) {
  const bool repeated = std::ranges::any_of(part.results, [&](const case_result& r) {
    return std::ranges::count(whole.results, r.id, &case_result::id) > 0;
  });
  whole.planned = planned_in_both(whole, part, repeated);
  if (whole.shards.of != 0 && part.shards.of != 0 && whole.shards.of != part.shards.of)
    part.remarks.push_back(fmt::format(
        "shards of different divisions (I/{} and I/{}) are joined: whether some are missing is not known",
        whole.shards.of, part.shards.of));
  whole.shards = joined(whole, part);
  whole.interrupted = whole.interrupted || part.interrupted;
  for (case_result& r : part.results) {
    const auto had = std::ranges::find(whole.results, r.id, &case_result::id);
    if (had == whole.results.end())
      whole.results.push_back(std::move(r));
    else if (worse(r.verdict, had->verdict))
      *had = std::move(r);
  }
  // What one did not come to, another has played.
  if (whole.planned != 0 && whole.results.size() >= whole.planned) whole.interrupted = false;
  for (std::string& remark : part.remarks)
    if (std::ranges::find(whole.remarks, remark) == whole.remarks.end())
      whole.remarks.push_back(std::move(remark));
}

}  // namespace

std::string to_json_document(std::span<const judgement> pairs, const std::string& version) {
  nlohmann::json j{{"schema", schema_version}, {"halfopen", version}, {"pairs", nlohmann::json::array()}};
  for (const judgement& p : pairs) j["pairs"].push_back(p);
  return to_text(j, 2) + "\n";
}

std::expected<std::vector<judgement>, std::string> from_json_document(const std::string& text) {
  try {
    const auto j = nlohmann::json::parse(text);
    const auto& pairs = j.at("pairs");
    if (const int schema = j.value("schema", 1); schema != schema_version)
      return std::unexpected(
          fmt::format("its schema is {}, and this halfopen reads {}: it was written by another "
                      "version",
                      schema, schema_version));
    return pairs.get<std::vector<judgement>>();
  } catch (const nlohmann::json::parse_error& e) {
    return std::unexpected("it is no JSON: byte " + std::to_string(e.byte));
  } catch (const std::exception&) {
    return std::unexpected(std::string("it is no report of halfopen test --json"));
  }
}

std::vector<judgement> merge(std::vector<judgement> parts) {
  std::vector<judgement> pairs;
  for (judgement& part : parts) {
    const auto had = std::ranges::find_if(pairs, [&](const judgement& p) { return same_pair(p, part); });
    if (had == pairs.end())
      pairs.push_back(std::move(part));
    else
      take_in(*had, std::move(part));
  }
  for (judgement& p : pairs) std::ranges::stable_sort(p.results, {}, place_of);
  return pairs;
}

}  // namespace halfopen::judge
