// Thousands of runs as a few lines. What a program saw is compared word by word: an
// outcome that came once in a thousand times is what one repeats a run for, so
// nothing is taken together that differs, but for the times.

#include "situation/tally.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "situation/catalogue.hpp"

namespace halfopen::situation {

rounds rounds_of(std::span<const result> results, std::string_view situation, std::string_view variant,
                 std::string_view pair) {
  rounds found;
  for (const result& r : results)
    if (r.situation == situation && r.variant == variant && r.pair == pair) found.push_back(&r);
  std::ranges::stable_sort(found, {}, &result::round);
  return found;
}

std::vector<outcome> outcomes_of(const rounds& played) {
  std::vector<outcome> found;
  for (const result* r : played) {
    const std::string what = r->verdict == verdict::broken ? "the lab failed: " + r->problem : r->saw;
    auto o = std::ranges::find(found, what, &outcome::what);
    if (o == found.end()) o = found.insert(found.end(), {.what = what, .soonest = {}, .latest = {}});
    ++o->times;
    if (!r->after) continue;
    o->soonest = std::min(o->soonest.value_or(*r->after), *r->after);
    o->latest = std::max(o->latest.value_or(*r->after), *r->after);
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &outcome::times);
  return found;
}

std::vector<std::pair<verdict, std::size_t>> verdicts_of(const rounds& played) {
  std::vector<std::pair<verdict, std::size_t>> found;
  for (const verdict v : {verdict::met, verdict::not_met, verdict::inconclusive, verdict::broken})
    if (const auto times = std::ranges::count(played, v, &result::verdict); times != 0)
      found.emplace_back(v, static_cast<std::size_t>(times));
  return found;
}

std::size_t agreements_of(const rounds& played) {
  return static_cast<std::size_t>(
      std::ranges::count_if(played, [](const result* r) { return r->endings && r->endings->agree; }));
}

namespace {

nlohmann::json tally_of(const rounds& played) {
  const result& first = *played.front();
  nlohmann::json row{{"situation", first.situation},
                     {"variant", first.variant},
                     {"pair", first.pair},
                     {"played", played.size()},
                     {"outcomes", nlohmann::json::array()}};
  for (const auto& [v, times] : verdicts_of(played)) row["verdicts"][to_string(v)] = times;
  if (first.pair == "robust") row["agree"] = agreements_of(played);
  for (const outcome& o : outcomes_of(played)) {
    nlohmann::json after;
    if (o.soonest) after = {o.soonest->count(), o.latest->count()};
    row["outcomes"].push_back({{"saw", o.what}, {"times", o.times}, {"after_ms", std::move(after)}});
  }
  return row;
}

}  // namespace

nlohmann::json tallies(std::span<const result> results) {
  auto all = nlohmann::json::array();
  for (const situation* s : all_situations())
    for (const variant& v : s->variants)
      for (const char* pair : {"naive", "robust"})
        if (const rounds played = rounds_of(results, s->name, v.name, pair); !played.empty())
          all.push_back(tally_of(played));
  return all;
}

}  // namespace halfopen::situation
