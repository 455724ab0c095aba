#include "judge/decide/client.hpp"

#include <signal.h>

#include <algorithm>

namespace halfopen::judge {
namespace {

/// The earlier of two packets.
void note(std::optional<std::uint64_t>& into, std::uint64_t number) {
  if (!into || number < *into) into = number;
}

finding nothing_said(obstacle why) {
  return {.verdict = verdict::inconclusive,
          .did = outcome::hangs,
          .rests_on = basis::time,
          .why = why,
          .length = {}};
}

finding of_an_end(const client_seen& s) {
  if (deadly_signal(*s.ended) != 0) return {.verdict = verdict::fail, .did = outcome::crashed};
  if (s.ended->code != 0) {
    if (!s.must_succeed) return {.verdict = verdict::pass, .did = outcome::reported};
    // A limit of its own may have passed while the machine was busy.
    return {.verdict = verdict::fail, .did = outcome::reported, .rests_on = basis::time};
  }
  if (s.usual_output && s.asked_twice)
    return {.verdict = s.once ? verdict::fail : verdict::warn, .did = outcome::asks_twice};
  if (s.usual_output)
    return {.verdict = verdict::pass, .did = s.anew ? outcome::recovered : outcome::unaffected};
  if (s.guessed)
    return {.verdict = verdict::inconclusive, .did = outcome::false_success, .why = obstacle::no_replay};
  if (s.unpredictable)
    return {.verdict = verdict::inconclusive, .did = outcome::false_success, .why = obstacle::varies};
  return {.verdict = verdict::fail, .did = outcome::false_success};
}

hang_length length_of(const client_seen& s) {
  using source = hang_length::source;
  if (s.watched_to)
    return s.ended ? hang_length{.how = source::measured, .ends = s.after.value_or(*s.watched_to)}
                   : hang_length{.how = source::measured, .watched = s.watched_to};
  if (!s.wait) return {};
  if (s.wait->by_kernel && !s.kernel_answers) return {.how = source::computed, .ends = s.wait->by_kernel};
  return {.how = s.endless == true ? source::computed : source::unknown};
}

finding of_no_end(const client_seen& s) {
  if (s.undelivered) return nothing_said(obstacle::too_busy);
  finding f{.verdict = verdict::fail, .did = outcome::hangs, .rests_on = basis::time, .length = length_of(s)};
  const bool came_to_an_end = s.watched_to && s.ended;
  if (s.told.attempts >= many_attempts && !came_to_an_end) {
    f.did = outcome::tries_again;
    f.length = {};
    if (s.watched_to)
      f.length = {.how = hang_length::source::watched, .watched = s.watched_to, .attempts = s.told.attempts};
  } else if (s.busy >= too_busy) {
    f.did = outcome::spins;
    f.rests_on = basis::processor;
    f.length = {};
  }
  return f;
}

}  // namespace

told_since what_was_told(const std::vector<const trace::connection*>& all, const trace::ip_address& client,
                         std::uint16_t port, trace::time_point fault) {
  told_since t;
  for (const trace::connection* c : all) {
    if (c->opener.address != client || c->responder.port != port) continue;
    const trace::flow& own = c->of(trace::side::opener);
    const trace::flow& back = c->of(trace::side::responder);
    if (own.syn && own.syn->when >= fault) {
      ++t.attempts;
      if (c->handshake_done) ++t.answered;
    }
    if (back.fin && back.fin->when >= fault) note(t.fin, back.fin->number);
    if (back.rst && back.rst->when >= fault)
      note(back.rst_kind == trace::reset_kind::to_syn ? t.refusal : t.reset, back.rst->number);
    if (c->first_icmp && c->last_icmp->where.when >= fault) note(t.icmp, c->last_icmp->where.number);
  }
  return t;
}

wait_length length_of_wait(const liveness& options, const hang& timers, waiting what_for) {
  if (what_for == waiting::for_connection) return {options, timers.connecting};
  return {options, what_for == waiting::for_acknowledgement ? timers.in_flight : timers.idle};
}

int deadly_signal(const lab::exit_status& end) noexcept {
  if (end.signal != 0) return end.signal;
  constexpr int unmistakable[]{SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGPIPE, SIGSYS};
  const int* found = std::ranges::find(unmistakable, end.code - 128);
  return found == std::end(unmistakable) ? 0 : *found;
}

finding decide(const client_seen& seen) {
  return seen.ended && seen.in_time ? of_an_end(seen) : of_no_end(seen);
}

}  // namespace halfopen::judge
