// The second playing. A guest of the virtual clock has no neighbours, and in it a hang is watched to its
// end in no time; what it cannot decide is played alone, with the real clock.

#include "judge/confirm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/confirm_cases.hpp"
#include "clock/kernel.hpp"
#include "halfopen/lab/error.hpp"
#include "judge/runner.hpp"

namespace halfopen::cli {
namespace {

using judge::again;
using judge::case_result;

/// More than that come to nothing for a reason that a second playing does not take away.
constexpr std::size_t most_unproved = 30;
/// Cases of a guest: hangs that are watched for hours take longest, and are spread over the processors.
constexpr std::size_t cases_a_guest = 8;

/// In seconds. A guest that needs longer is watching a loop; what it shall tell can be seen alone too.
constexpr double real_limit = 150;

/// In seconds. A guest whose time stands still has a program that computes, or spins, which is judged alone
/// with the real clock: there is no need to wait for more of it.
constexpr double standstill_limit = 3;

class second_playings {
 public:
  second_playings(const test_arguments& a, const judge::run_options& options, const judge::clean_run& usual,
                  std::vector<case_result> first)
      : a_(a), options_(options), usual_(usual), results_(std::move(first)) {}

  confirmed_results play(const show_playing& show) {
    const bool has_kernel = a_.clock == "auto" && clock::find_kernel().has_value();
    choose(has_kernel);
    if (const auto n = count(again::virtual_clock); n > 0) {
      in_guests(show, fmt::format("{} again, under the virtual clock", cases(n)));
    }
    if (count(again::alone) > most_unproved) only_accusations();
    if (const auto n = count(again::alone); n > 0 && !interrupted_) {
      alone(show, fmt::format("{} again, alone", cases(n)));
    }
    for (case_result& r : results_)
      r = judge::unconfirmed(
          r, interrupted_ ? "interrupted before it was played again" : "it was not played again");
    return {std::move(results_), interrupted_};
  }

 private:
  static std::string cases(std::size_t n) { return fmt::format("{} case{}", n, n == 1 ? "" : "s"); }

  void choose(bool has_kernel) {
    for (const case_result& r : results_)
      if (const again how = judge::second_playing(r, has_kernel); how != again::no) wanted_[r.id] = how;
  }

  [[nodiscard]] std::size_t count(again how) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(wanted_, [how](const auto& entry) { return entry.second == how; }));
  }

  void only_accusations() {
    for (const case_result& r : results_)
      if (r.verdict == judge::verdict::inconclusive) wanted_.erase(r.id);
  }

  [[nodiscard]] judge::run_options those(again how) const {
    judge::run_options some = options_;
    std::erase_if(some.cases, [&](const auto* c) {
      const auto found = wanted_.find(std::string(c->id));
      return found == wanted_.end() || found->second != how;
    });
    if (!some.evidence.empty()) some.evidence /= "played-again";
    return some;
  }

  case_result& first(const std::string& id) { return *std::ranges::find(results_, id, &case_result::id); }

  void in_guests(const show_playing& show, const std::string& what) {
    judge::run_options some = those(again::virtual_clock);
    if (some.parts) some.parts->first_look = judge::milliseconds(0);
    show(some, what);
    test_arguments guests = a_;
    guests.brief = true;
    guests.guest.real_limit = std::min(guests.guest.real_limit, real_limit);
    guests.guest.standstill_limit = std::min(guests.guest.standstill_limit, standstill_limit);
    if (guests.jobs == 0 && !some.parts) guests.jobs = cases_a_guest;
    std::vector<case_result> again_results;
    try {
      again_results = play_in_guests(guests, some, usual_);
    } catch (const judge::no_baseline&) {  // the pair does not work there
    } catch (const lab::error&) {          // no guest can be made
    }
    interrupted_ = stop_signals::asked();
    for (auto& [id, how] : wanted_) {
      if (how != again::virtual_clock) continue;
      const auto found = std::ranges::find(again_results, id, &case_result::id);
      if (found == again_results.end() || found->verdict == judge::verdict::inconclusive ||
          judge::third_playing(first(id), *found))
        how = again::alone;
      else
        take(*found, how);
    }
  }

  void alone(const show_playing& show, const std::string& what) {
    judge::run_options some = those(again::alone);
    some.programs.first_look = judge::milliseconds(0);
    if (some.parts) some.parts->first_look = judge::milliseconds(0);
    show(some, what);
    some.jobs = judge::jobs_alone(usual_);
    const auto played = judge::run(some, usual_);
    interrupted_ = played.size() < some.cases.size();
    for (const case_result& second : played) take(second, again::alone);
  }

  void take(const case_result& second, again how) {
    case_result& r = first(second.id);
    r = judge::confirmed(r, second, how);
    wanted_[second.id] = again::no;
  }

  const test_arguments& a_;
  const judge::run_options& options_;
  const judge::clean_run& usual_;
  std::vector<case_result> results_;
  std::map<std::string, again> wanted_;
  bool interrupted_ = false;
};

}  // namespace

confirmed_results confirm(const test_arguments& a, const judge::run_options& options,
                          const judge::clean_run& usual, std::vector<case_result> first,
                          const show_playing& show) {
  if (options.programs.without_fault || (options.parts && options.parts->without_fault))
    return {std::move(first), false};
  return second_playings(a, options, usual, std::move(first)).play(show);
}

}  // namespace halfopen::cli
