#include "judge/confirm.hpp"

#include <fmt/format.h>

#include "judge/words.hpp"

namespace halfopen::judge {
namespace {

bool accuses(const case_result& r) {
  return r.what == verdict::fail || r.what == verdict::warn;
}

std::string figures(const case_result& first) {
  return fmt::format("its programs were ready to run and got no processor for {} of {}",
                     in_words(first.kept_waiting), in_words(first.took));
}

std::string_view where(again how) {
  return how == again::virtual_clock ? "under the virtual clock" : "alone";
}

}  // namespace

again second_playing(const case_result& first, bool has_kernel) {
  if (accuses(first)) {
    if (first.confirmed != confirmation::wanted) return again::no;
    // A guest's time does not pass while a program computes: who burns the processor is seen outside.
    return has_kernel && first.rests_on == basis::time ? again::virtual_clock : again::alone;
  }
  return first.what == verdict::inconclusive && first.may_be_load ? again::alone : again::no;
}

bool third_playing(const case_result& first, const case_result& second) noexcept {
  return accuses(first) && !first.provisional && !accuses(second);
}

case_result confirmed(const case_result& first, const case_result& second, again how) {
  if (first.provisional && second.what != verdict::inconclusive) {  // the second alone was watched
    case_result r = second;
    if (r.confirmed == confirmation::wanted)
      r.confirmed = how == again::virtual_clock ? confirmation::virtual_clock : confirmation::alone;
    return r;
  }
  if (!accuses(first)) {  // it was inconclusive: what comes out alone counts, but for an accusation by time
    case_result r = second;
    if (accuses(second) && second.confirmed == confirmation::wanted) r.confirmed = confirmation::alone;
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
  r.what = verdict::inconclusive;
  r.confirmed = confirmation::refuted;
  r.provisional = false;
  r.cure.clear();
  if (accuses(second))
    r.reason =
        fmt::format("the machine was too busy, alone too ({}): \"{}\"", figures(second), second.happened);
  else
    r.reason = second.what == verdict::inconclusive
                   ? fmt::format("not confirmed: beside other cases \"{}\"; {}: {}", first.happened,
                                 where(how), what_happened(second))
                   : fmt::format("the machine was too busy ({}): beside other cases \"{}\", {} \"{}\"",
                                 figures(first), first.happened, where(how), what_happened(second));
  return r;
}

case_result unconfirmed(const case_result& first, const std::string& why) {
  if (first.confirmed != confirmation::wanted) return first;
  case_result r = first;
  r.what = verdict::inconclusive;
  r.confirmed = confirmation::refuted;
  r.cure.clear();
  r.reason = fmt::format("not confirmed: \"{}\", and {}", first.happened, why);
  return r;
}

}  // namespace halfopen::judge
