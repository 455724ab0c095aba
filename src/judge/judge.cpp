// From what is seen of a program to the sheet: watch, decide, say.

#include <algorithm>

#include "judge/sentences.hpp"
#include "judge/watch.hpp"

namespace halfopen::judge {

void stage::judge_client(const lab::process& c, server_part* peer) {
  client_seen seen = watch_client(*this, c, peer);
  seen.must_succeed = !cure_of_giving_up_.empty();
  seen.kernel_answers = kernel_answers_;
  seen.guessed = guessed_ && *guessed_;
  const finding f = decide(seen);
  sheet_.facts.after = seen.after;
  if (!seen.in_time && !seen.undelivered) sheet_.facts.still_waiting = seen.still_at;
  sheet_.facts.provisional = !seen.in_time && under_test.patience() < under_test.limit;
  sheet_.conclude(f, say(seen, f, cure_of_giving_up_));
}

bool stage::require_whole(bool holds, std::string what, std::string cure) {
  if (holds || !base.reply_varies) return require(holds, std::move(what), std::move(cure));
  sheet_.conclude(
      {.verdict = verdict::inconclusive, .did = outcome::not_as_asked, .why = obstacle::varies},
      {.reason = "replies are not always as long, so that nobody knows whether this one is whole: not so: " +
                 what});
  return false;
}

bool stage::lives(const lab::process& s) {
  if (!s.ended()) return true;
  sheet_.conclude(decide_end(*s.ended()), say_end(*s.ended()));
  return false;
}

bool stage::answers_others(const lab::process& s, std::string_view when) {
  const other_client seen = watch_other_client(*this, s);
  const finding f = decide(seen);
  sheet_.note(f, say(seen, f, when));
  return f.verdict == verdict::pass;
}

load_seen stage::load_of(const busy_watch& watch, double waits_below) {
  return {watch.share(lab, std::chrono::seconds(20), waits_below)};
}

void stage::judge_load(const load_seen& load, std::string_view when, const std::string& cure) {
  const finding f = decide(load);
  sheet_.note(f, say(load, f, when, cure));
}

void stage::judge_request_at_stop(const request_at_stop& seen) {
  const finding f = decide(seen);
  sheet_.conclude(f, say(seen, f));
}

void stage::judge_leftovers(std::span<const trace::endpoint> gone) {
  const auto left = held(server, gone);
  if (left.empty()) return;
  const held_sockets seen = watch_held(*this, gone, left);
  const finding f = decide(seen);
  sheet_.facts.provisional = under_test.patience() < under_test.limit;
  if (seen.watched) sheet_.facts.after = seen.watched;
  sheet_.facts.still_waiting = seen.still_at;
  sheet_.conclude(f, say(seen, f, under_test.limit));
}

void stage::judge_server(const lab::process& s, std::span<const trace::endpoint> gone) {
  const bool well = answers_others(s, "after the fault");
  if (s.ended()) return;
  const busy_watch watch(server);
  lab.run_for(1s);  // long enough to see a loop that never waits
  auto next_look = lab::experiment::now();
  const auto given_back = [&] {  // to look takes its time where sockets are many
    if (s.ended()) return true;
    if (lab::experiment::now() < next_look) return false;
    next_look = lab::experiment::now() + 200ms;
    return held(server, gone).empty();
  };
  wait(given_back, std::max<milliseconds>(under_test.patience() - since_fault(), 0ms));
  if (s.ended()) {
    (void)lives(s);
    return;
  }
  judge_load(
      load_of(watch), "",
      "a readiness that is never taken, or an error that is never looked at, spins: close the socket, or "
      "pause");
  judge_leftovers(gone);
  if (well) answers_others(s, "at the end");
  sheet_.conclude({.did = outcome::serves_on},
                  {.happened = "it lives, answers others, and gave the connection back"});
}

}  // namespace halfopen::judge
