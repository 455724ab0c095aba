#include "judge/worst.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>

namespace halfopen::judge {
namespace {

harm of_a_wait(const hang_length& l) {
  if (l.ends) return harm::waits;
  return l.how == hang_length::source::unknown ? harm::waits_who_knows : harm::waits_for_ever;
}

struct candidate {
  case_place where;
  const case_result* result;
  harm does;
  bool again = false;  ///< one of its kind stands before it

  /// Smaller is worse.
  [[nodiscard]] auto rank() const {
    const std::int64_t length = result->length.ends ? result->length.ends->count() : 0;
    return std::tuple(result->verdict != verdict::fail, again, does, -length);
  }
};

}  // namespace

harm harm_of(const case_result& r) noexcept {
  if (!r.did) return harm::other;
  switch (*r.did) {
    case outcome::false_success:
    case outcome::wrong_answer:
    case outcome::answers_wrong:
    case outcome::asks_twice:
      return harm::wrong;
    case outcome::crashed:
    case outcome::process_crashed:
    case outcome::ended:
      return r.subject == subject::client ? harm::ends_badly : harm::gone;
    case outcome::never_serves_again:
    case outcome::no_answer:
      return harm::gone;
    case outcome::spins:
    case outcome::tries_again:
      return harm::waits_for_ever;
    case outcome::hangs:
    case outcome::lets_hang:
    case outcome::holds:
    case outcome::releases_late:
      return of_a_wait(r.length);
    default:
      return harm::other;
  }
}

std::vector<case_place> worst_of(std::span<const judgement> pairs, std::size_t most) {
  std::vector<candidate> all;
  for (std::size_t pair = 0; pair < pairs.size(); ++pair)
    for (std::size_t index = 0; index < pairs[pair].results.size(); ++index) {
      const case_result& r = pairs[pair].results[index];
      if (r.verdict == verdict::fail || r.verdict == verdict::warn)
        all.push_back({{pair, index}, &r, harm_of(r)});
    }
  std::ranges::stable_sort(all, {}, &candidate::rank);
  std::set<std::tuple<verdict, subject, std::optional<outcome>, harm>> kinds;
  for (candidate& c : all)
    c.again = !kinds.emplace(c.result->verdict, c.result->subject, c.result->did, c.does).second;
  std::ranges::stable_sort(all, {}, &candidate::rank);
  std::vector<case_place> worst;
  for (const candidate& c : all)
    if (worst.size() < most) worst.push_back(c.where);
  return worst;
}

}  // namespace halfopen::judge
