#include "judge/sheet.hpp"

#include <algorithm>

namespace halfopen::judge {

sheet::sheet(const judge_case& c) {
  facts.id = c.id;
  facts.subject = c.subject;
  facts.done = c.done;
  facts.rule = c.rule;
  facts.service = c.link_from;
  facts.dependency = c.link_to;
  facts.verdict = verdict::pass;
}

void sheet::conclude(const finding& f, wording said) {
  if (f.verdict == verdict::fail || f.verdict == verdict::warn)
    facts.checks.push_back({said.happened, false, false, {}});
  found_.emplace_back(f, std::move(said));
}

void sheet::note(const finding& f, wording said) {
  if (f.verdict != verdict::pass) return conclude(f, std::move(said));
  if (!said.happened.empty()) facts.checks.push_back({std::move(said.happened), true, false, {}});
}

bool sheet::require(bool holds, std::string what, std::string cure, basis rests_on) {
  if (holds)
    note({.did = outcome::does_as_asked}, {.happened = std::move(what)});
  else
    conclude({.verdict = verdict::fail, .did = outcome::not_as_asked, .rests_on = rests_on},
             {.happened = "not so: " + what, .cure = std::move(cure)});
  return holds;
}

bool sheet::says_enough() const noexcept {
  return std::ranges::any_of(found_, [](const auto& one) {
    return one.first.verdict == verdict::fail || one.first.verdict == verdict::inconclusive;
  });
}

case_result sheet::finish() && {
  std::vector<finding> all;
  for (const auto& [f, said] : found_) all.push_back(f);
  if (const auto index = told_of(all)) {
    auto& [f, said] = found_[*index];
    facts.verdict = f.verdict;
    facts.did = f.did;
    facts.why = f.why;
    facts.rests_on = f.rests_on;
    facts.length = f.length;
    facts.happened = std::move(said.happened);
    facts.cure = std::move(said.cure);
    facts.reason = std::move(said.reason);
    facts.length_words = std::move(said.length);
    facts.may_be_load = f.why == obstacle::too_busy;
  }
  if (facts.verdict == verdict::inconclusive) return std::move(facts);
  if (const auto unproved = first_unproved(facts.checks)) {
    facts.verdict = verdict::inconclusive;
    facts.why = obstacle::unproved;
    facts.reason = "not proved: " + play::in_words(facts.checks[*unproved]);
    facts.may_be_load = true;
  }
  facts.confirmed =
      needs_confirmation(facts.verdict, facts.rests_on) ? confirmation::wanted : confirmation::not_needed;
  return std::move(facts);
}

}  // namespace halfopen::judge
