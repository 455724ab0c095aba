#include "judge/decide/outage.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

namespace halfopen::judge {
namespace {

using std::chrono::seconds;

bool is_served(const ask& a) noexcept {
  return a.how == ask_end::served;
}

bool of_kind(const ask& a, probe_kind k) noexcept {
  return a.what == k && a.how != ask_end::cut_short;
}

/// Asks of one kind that were under way or began while the service had not come back.
template <class Function>
void each_until(const outage_seen& seen, probe_kind kind, milliseconds end, Function f) {
  for (std::size_t i = 0; i < seen.asks.size(); ++i) {
    const ask& a = seen.asks[i];
    if (of_kind(a, kind) && a.begun < end && a.ended() > milliseconds::zero()) f(i, a);
  }
}

milliseconds end_of_watch(const outage_seen& seen) noexcept {
  return seen.back + seen.watched + milliseconds(1);
}

milliseconds time_away(const outage_seen& seen) noexcept {
  return served_again(seen).value_or(end_of_watch(seen));
}

/// Every wrong answer was as usual but for figures, and the usual one never came back: it may be the time
/// that it tells.
bool tells_figures_by_itself(const outage_seen& seen) {
  const auto text_differs = [](const ask& a) {
    return of_kind(a, probe_kind::probe) && a.how == ask_end::wrong && !a.figures_only;
  };
  return std::ranges::none_of(seen.asks, text_differs) && !served_again(seen);
}

/// The probe's last answer was wrong.
bool ends_wrong(const outage_seen& seen) {
  bool wrong = false;
  for (const ask& a : seen.asks)
    if (of_kind(a, probe_kind::probe)) wrong = a.how == ask_end::wrong;
  return wrong;
}

/// Nobody can say that the service itself is what did not come back.
std::optional<obstacle> not_its_own(const outage_seen& seen) {
  if (ends_wrong(seen) && tells_figures_by_itself(seen)) return obstacle::varies;
  if (!seen.spoke_again) return std::nullopt;
  if (seen.fresh_data) return obstacle::varies;
  if (seen.stands_behind) return obstacle::no_means;
  return std::nullopt;
}

/// How long the kernel would let the service wait, if it is known on which connection it does.
hang_length length_of_its_wait(const outage_seen& seen) {
  if (!seen.waits || seen.waits->sockets.size() != 1) return {};
  const auto by_kernel = seen.waits->sockets.front().length.by_kernel;
  return by_kernel ? hang_length{.how = hang_length::source::computed, .ends = by_kernel} : hang_length{};
}

look_finding during(const outage_seen& seen) {
  look_finding f{.at = look::during, .found = {.did = outcome::refuses}};
  std::array<std::size_t, 5> count{};
  std::array<std::optional<std::size_t>, 5> worst{};
  std::size_t by_itself = 0;           // of those that hung
  std::optional<std::size_t> excused;  // answered after the limit, which a busy machine put off
  each_until(seen, probe_kind::probe, time_away(seen), [&](std::size_t i, const ask& a) {
    if (a.how == ask_end::hung && a.asks_itself && a.begun < seen.back) return void(++by_itself);
    const auto how = static_cast<std::size_t>(a.how);
    ++count.at(how);
    if (!worst.at(how) || a.took > seen.asks[*worst.at(how)].took) worst.at(how) = i;
    const bool answered = a.how == ask_end::served || a.how == ask_end::refused;
    if (answered && a.took > seen.limit + seen.usual_probe && (!excused || a.took > seen.asks[*excused].took))
      excused = i;
  });
  const auto index = [](ask_end e) { return static_cast<std::size_t>(e); };
  const auto with = [&](ask_end e) {
    f.count = count.at(index(e));
    f.example = worst.at(index(e));
    f.figure = seen.asks[*f.example].took;
  };
  if (count.at(index(ask_end::wrong)) > 0) {
    with(ask_end::wrong);
    f.found = {.verdict = verdict::fail, .did = outcome::answers_wrong};
    if (tells_figures_by_itself(seen))
      f.found = {.verdict = verdict::inconclusive, .did = outcome::answers_wrong, .why = obstacle::varies};
  } else if (count.at(index(ask_end::hung)) > 0) {
    with(ask_end::hung);
    f.found = {.verdict = verdict::fail, .did = outcome::lets_hang, .rests_on = basis::time};
    f.found.length = length_of_its_wait(seen);
  } else if (by_itself > 0) {
    f.count = by_itself;
    f.found = {.verdict = verdict::inconclusive, .did = outcome::lets_hang, .why = obstacle::asks_itself};
  } else if (excused) {
    f.example = excused;
    f.figure = seen.asks[*excused].took;
    f.found = {.verdict = verdict::inconclusive,
               .did = outcome::lets_hang,
               .rests_on = basis::time,
               .why = obstacle::too_busy};
  } else if (count.at(index(ask_end::refused)) > 0) {
    with(ask_end::refused);
    // Whoever asks a worker by its effect waits as long as it likes.
    if (seen.serves && seen.asks[*f.example].of_its_own() > seen.limit / 2)
      f.found = {.verdict = verdict::warn, .did = outcome::refuses_late, .rests_on = basis::time};
  } else {
    f.found.did = outcome::serves_on;
    f.count = count.at(index(ask_end::served));
  }
  return f;
}

void look_for_stale_uses(const outage_seen& seen, look_finding& f) {
  for (std::size_t i = 0; i < seen.asks.size(); ++i) {
    if (!stale_use_of(seen, seen.asks[i])) continue;
    if (f.count++ == 0) f.example = i;
    // A program that a busy machine kept from reading the end is not to blame.
    f.found = {.verdict = verdict::warn, .did = outcome::uses_stale, .rests_on = basis::time};
  }
}

look_finding after(const outage_seen& seen) {
  look_finding f{.at = look::after, .found = {.did = outcome::serves_again}};
  const auto again = served_again(seen);
  using source = hang_length::source;
  if (!again) {
    f.found = {.verdict = verdict::fail, .did = outcome::never_serves_again, .rests_on = basis::time};
    f.found.length = {source::measured, std::nullopt};
    f.figure = seen.watched;
    if (const auto why = not_its_own(seen)) {
      f.found.verdict = verdict::inconclusive;
      f.found.why = *why;
      f.found.length = {};
    }
    return f;
  }
  f.figure = std::max(*again - seen.back, milliseconds::zero());
  if (*f.figure > seen.recover)
    f.found = {.verdict = verdict::warn,
               .did = outcome::serves_again_late,
               .rests_on = basis::time,
               .length = {source::measured, f.figure}};
  else
    look_for_stale_uses(seen, f);
  return f;
}

look_finding alive(const outage_seen& seen) {
  look_finding f{.at = look::alive, .found = {.did = outcome::runs_on}};
  if (!seen.ended) return f;
  f.figure = seen.ended_at;
  f.found.verdict = seen.restarted ? verdict::warn : verdict::fail;
  f.found.did = deadly_signal(*seen.ended) != 0 ? outcome::crashed : outcome::ended;
  return f;
}

/// The longest time from a yes to a yes, without another answer between them, in which none of the probe was
/// served, and which an ask of the probe ended that was not served either; nothing if there was none. A yes
/// that was long in coming is one when it comes. One after `until` counts for nothing.
std::optional<milliseconds> longest_lie(const outage_seen& seen, milliseconds until) {
  std::optional<milliseconds> longest;
  bool away = false;                        // the last ask of the probe was not served
  std::optional<milliseconds> yes_since{};  // its first yes since then
  milliseconds last_yes{};
  for (const ask& a : seen.asks) {
    if (of_kind(a, probe_kind::probe)) {
      away = !is_served(a);
      if (away && yes_since)
        longest = std::max(longest.value_or(milliseconds::zero()), last_yes - *yes_since);
      if (!away) yes_since.reset();
    } else if (of_kind(a, probe_kind::health)) {
      if (a.ended() > until) continue;
      if (!away || !is_served(a)) {
        yes_since.reset();
        continue;
      }
      if (!yes_since) yes_since = a.ended();
      last_yes = a.ended();
    }
  }
  return longest;
}

look_finding health(const outage_seen& seen) {
  look_finding f{.at = look::health, .found = {.did = outcome::does_as_asked}};
  const auto lies = [&](milliseconds until) {
    f.figure = longest_lie(seen, until);
    return f.figure && *f.figure > seen.limit;
  };
  const auto excuse = served_again(seen) ? std::nullopt : not_its_own(seen);
  if (lies(excuse ? seen.back : milliseconds::max()))
    f.found = {.verdict = verdict::fail, .did = outcome::says_healthy, .rests_on = basis::time};
  else if (excuse && lies(milliseconds::max()))
    f.found = {.verdict = verdict::inconclusive,
               .did = outcome::says_healthy,
               .rests_on = basis::time,
               .why = *excuse};
  return f;
}

look_finding other(const outage_seen& seen) {
  look_finding f{.at = look::other, .found = {.did = outcome::does_as_asked}};
  const milliseconds slow = std::max<milliseconds>(seconds(1), 5 * seen.usual_other);
  each_until(seen, probe_kind::other, end_of_watch(seen), [&](std::size_t i, const ask& a) {
    const bool bad = !is_served(a);
    const verdict v = bad ? verdict::fail : a.of_its_own() > slow ? verdict::warn : verdict::pass;
    if (v == verdict::pass) return;
    ++f.count;
    if (f.found.verdict == verdict::fail && v != verdict::fail) return;
    f.found = {.verdict = v, .did = outcome::stops_others, .rests_on = basis::time};
    if (!f.example || a.took > seen.asks[*f.example].took) {
      f.example = i;
      f.figure = a.took;
    }
  });
  return f;
}

/// The third largest number of attempts in a second, so that a pool that reconnects at once is none of it.
/// What asks may cause, a first attempt and some more each, is not counted.
std::size_t attempts_a_second(const outage_seen& seen) {
  constexpr std::size_t an_ask = 4;
  std::map<std::int64_t, std::size_t> made;
  std::map<std::int64_t, std::size_t> asked;
  for (const milliseconds at : seen.attempts) ++made[std::chrono::floor<seconds>(at).count()];
  for (const ask& a : seen.asks)  // whoever waits in it may be tried for as long as it lasts
    for (auto s = std::chrono::floor<seconds>(a.begun).count();
         s <= std::chrono::floor<seconds>(a.ended()).count(); ++s)
      ++asked[s];
  std::vector<std::size_t> beyond;
  for (const auto& [second, count] : made) beyond.push_back(count - std::min(count, an_ask * asked[second]));
  if (beyond.size() < 3) return 0;
  std::ranges::nth_element(beyond, beyond.begin() + 2, std::greater<>());
  return beyond[2];
}

look_finding storm(const outage_seen& seen) {
  look_finding f{.at = look::storm, .found = {.did = outcome::does_as_asked}};
  f.count = attempts_a_second(seen);
  if (f.count > many_a_second)
    f.found = {.verdict = f.count > storm_a_second ? verdict::fail : verdict::warn, .did = outcome::storms};
  if (f.found.verdict == verdict::fail) return f;
  if (seen.busy && *seen.busy >= too_busy)
    f.found = {.verdict = verdict::fail, .did = outcome::spins, .rests_on = basis::processor};
  return f;
}

/// What grows with every outage from the second one on: the first may fill a pool.
bool grows(std::span<const possessions> all, std::size_t possessions::* what) {
  constexpr std::size_t enough = 5;
  if (all.size() < enough) return false;
  for (std::size_t i = 2; i < all.size(); ++i)
    if (all[i].*what <= all[i - 1].*what) return false;
  return true;
}

/// Memory is told, and no verdict: a heap that warms up grows every time.
look_finding leftovers(const outage_seen& seen) {
  look_finding f{.at = look::leftovers, .found = {.did = outcome::does_as_asked}};
  for (const auto what : {&possessions::sockets, &possessions::descriptors, &possessions::threads})
    if (grows(seen.after_each, what)) {
      f.found = {.verdict = verdict::fail, .did = outcome::leaks};
      f.count = seen.after_each.size() - 1;
    }
  return f;
}

look_finding once(const outage_seen& seen) {
  look_finding f{.at = look::once, .found = {.did = outcome::does_as_asked}};
  if (seen.requests->arrived <= seen.requests->asks) return f;
  f.count = seen.requests->arrived - seen.requests->asks;
  f.found = {.verdict = verdict::warn, .did = outcome::asks_twice};
  return f;
}

bool has(const outage_seen& seen, probe_kind kind) {
  return std::ranges::any_of(seen.asks, [kind](const ask& a) { return of_kind(a, kind); });
}

}  // namespace

std::string_view to_string(probe_kind p) noexcept {
  constexpr std::array<std::string_view, 3> names{"probe", "health", "other"};
  const auto index = static_cast<std::size_t>(p);
  return index < names.size() ? names[index] : "?";
}

std::string_view to_string(ask_end e) noexcept {
  constexpr std::array<std::string_view, 5> names{"served", "refused", "wrong", "hung", "cut short"};
  const auto index = static_cast<std::size_t>(e);
  return index < names.size() ? names[index] : "?";
}

std::string_view to_string(connection_end e) noexcept {
  constexpr std::array<std::string_view, 5> names{"open", "closed", "reset", "refused", "unanswered"};
  const auto index = static_cast<std::size_t>(e);
  return index < names.size() ? names[index] : "?";
}

std::string_view to_string(look l) noexcept {
  constexpr std::array<std::string_view, all_looks> names{"during", "after", "alive",     "health",
                                                          "other",  "storm", "leftovers", "once"};
  const auto index = static_cast<std::size_t>(l);
  return index < names.size() ? names[index] : "?";
}

std::optional<milliseconds> served_again(const outage_seen& seen) noexcept {
  return served_again(seen.asks, seen.back);
}

std::optional<milliseconds> served_again(std::span<const ask> asks, milliseconds back) noexcept {
  std::optional<milliseconds> since;
  std::size_t in_a_row = 0;
  std::optional<milliseconds>
      last_bad;  // an ask that began later, and ended earlier, is no sign of steadiness
  for (const ask& a : asks)
    if (of_kind(a, probe_kind::probe) && !is_served(a) && (!last_bad || a.begun > *last_bad))
      last_bad = a.begun;
  for (const ask& a : asks) {
    if (!of_kind(a, probe_kind::probe) || !is_served(a)) continue;
    if (a.begun < milliseconds::zero() || a.ended() < back || (last_bad && a.begun <= *last_bad)) continue;
    ++in_a_row;
    if (!since || a.ended() < *since) since = a.ended();
  }
  if (in_a_row < steady_asks) return std::nullopt;
  return since;
}

std::optional<stale_use> stale_use_of(const outage_seen& seen, const ask& a) {
  if (!of_kind(a, probe_kind::probe) || is_served(a) || a.begun < seen.back) return std::nullopt;
  if (std::ranges::any_of(seen.attempts, [&](milliseconds at) { return at <= a.ended(); }))
    return std::nullopt;
  const auto within = std::ranges::find_if(seen.stale_uses, [&](const stale_use& u) {
    return u.ended + milliseconds(500) <= a.begun && u.used >= a.begun && u.used <= a.ended();
  });
  if (within == seen.stale_uses.end()) return std::nullopt;
  return *within;
}

std::optional<milliseconds> asked_old_address_until(const outage_seen& seen) noexcept {
  constexpr seconds under_way(1);  // whoever had the address already
  if (!seen.moved || seen.attempts.empty()) return std::nullopt;
  const milliseconds last = *std::ranges::max_element(seen.attempts);
  return last > under_way ? std::optional(last) : std::nullopt;
}

std::vector<look_finding> decide(const outage_seen& seen) {
  std::vector<look_finding> all{during(seen), after(seen), alive(seen)};
  if (has(seen, probe_kind::health)) all.push_back(health(seen));
  if (has(seen, probe_kind::other)) all.push_back(other(seen));
  all.push_back(storm(seen));
  if (!seen.after_each.empty()) all.push_back(leftovers(seen));
  if (seen.requests) all.push_back(once(seen));
  return all;
}

}  // namespace halfopen::judge
