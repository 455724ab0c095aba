#include "judge/shard.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace halfopen::judge {
namespace {

using std::chrono::milliseconds;

/// A case that falls on a request is played at several: `exit/6` is `exit/6@1` and `exit/6@2`.
std::optional<milliseconds> cost_of(const judge_case& c, const case_costs& costs) {
  const std::string at_requests = std::string(c.id) + "@";
  milliseconds sum{};
  bool known = false;
  if (const auto found = costs.find(c.id); found != costs.end()) sum += found->second, known = true;
  for (auto one = costs.lower_bound(at_requests); one != costs.end() && one->first.starts_with(at_requests);
       ++one)
    sum += one->second, known = true;
  return known ? std::optional(sum) : std::nullopt;
}

}  // namespace

case_costs costs_in(std::span<const judgement> reports, const std::string& name) {
  case_costs costs;
  for (const judgement& j : reports) {
    if (j.name != name) continue;
    for (const case_result& r : j.results) {
      milliseconds& longest = costs[r.id];
      longest = std::max(longest, r.took);
    }
  }
  return costs;
}

std::vector<const judge_case*> part_of(const std::vector<const judge_case*>& all, const case_costs& costs,
                                       shard which) {
  std::vector<milliseconds> cost(all.size());
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (const auto known = cost_of(*all[i], costs))
      cost[i] = *known;
    else
      unknown.push_back(i);
  }
  const auto known = static_cast<milliseconds::rep>(all.size() - unknown.size());
  const milliseconds sum = std::accumulate(cost.begin(), cost.end(), milliseconds{});
  for (const std::size_t i : unknown) cost[i] = known == 0 ? milliseconds{1} : sum / known;

  std::vector<std::size_t> dearest_first(all.size());
  std::iota(dearest_first.begin(), dearest_first.end(), std::size_t{0});
  std::ranges::stable_sort(dearest_first, std::greater{}, [&](std::size_t i) { return cost[i]; });
  std::vector<milliseconds> load(which.of);
  std::vector<bool> mine(all.size());
  for (const std::size_t i : dearest_first) {
    const auto cheapest = std::ranges::min_element(load);
    *cheapest += std::max(cost[i], milliseconds{1});  // a case of no cost is a case
    mine[i] = static_cast<std::size_t>(cheapest - load.begin()) == which.index;
  }
  std::vector<const judge_case*> part;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (mine[i]) part.push_back(all[i]);
  return part;
}

}  // namespace halfopen::judge
