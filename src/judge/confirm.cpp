#include "judge/confirm.hpp"

#include "judge/sentences.hpp"

namespace halfopen::judge {
namespace {

bool accuses(const case_result& r) {
  return r.verdict == verdict::fail || r.verdict == verdict::warn;
}

}  // namespace

again second_playing(const case_result& first, bool has_kernel) {
  if (accuses(first)) {
    if (first.confirmed != confirmation::wanted) return again::no;
    // A guest's time does not pass while a program computes: who burns the processor is seen outside.
    return has_kernel && first.rests_on == basis::time ? again::virtual_clock : again::alone;
  }
  if (first.verdict != verdict::inconclusive || !first.may_be_load) return again::no;
  return has_kernel && first.rests_on == basis::time ? again::virtual_clock : again::alone;
}

bool third_playing(const case_result& first, const case_result& second) noexcept {
  return accuses(first) && !first.provisional && !accuses(second);
}

case_result confirmed(const case_result& first, const case_result& second, again how) {
  if (first.provisional && second.verdict != verdict::inconclusive) {  // the second alone was watched
    case_result r = second;
    if (r.confirmed == confirmation::wanted)
      r.confirmed = how == again::virtual_clock ? confirmation::virtual_clock : confirmation::alone;
    return r;
  }
  if (!accuses(first)) {  // it was inconclusive: what comes out alone counts, but for an accusation by time
    case_result r = second;
    if (accuses(second) && second.confirmed == confirmation::wanted)
      r.confirmed = how == again::virtual_clock ? confirmation::virtual_clock : confirmation::alone;
    return r;
  }
  // Alone, on a machine that others keep busy, it could be the same load that accuses twice. Where it rests
  // on the processor that it used, the time in which others had it is taken off already.
  const bool calm = how != again::alone || second.kept_waiting <= second.took / 3;
  if (accuses(second) && (calm || second.rests_on != basis::time)) {
    case_result r = second;
    r.provisional = false;
    r.confirmed = how == again::virtual_clock ? confirmation::virtual_clock : confirmation::alone;
    if (second.rests_on == basis::event) r.confirmed = confirmation::not_needed;
    return r;
  }
  case_result r = first;
  r.verdict = verdict::inconclusive;
  r.why = obstacle::unconfirmed;
  r.confirmed = confirmation::refuted;
  r.provisional = false;
  r.cure.clear();
  r.reason = say_refuted(first, second, how == again::virtual_clock);
  return r;
}

case_result unconfirmed(const case_result& first, const std::string& why) {
  if (first.confirmed != confirmation::wanted) return first;
  case_result r = first;
  r.verdict = verdict::inconclusive;
  r.why = obstacle::unconfirmed;
  r.confirmed = confirmation::refuted;
  r.cure.clear();
  r.reason = say_unconfirmed(first, why);
  return r;
}

}  // namespace halfopen::judge
