// When to ask again, and when to leave a peer alone.
//
// Repeats are what turns a peer that is slow into one that is dead: each client asks three times as
// often just when the peer can answer least. Pauses alone only put that off, so there is a budget over
// all calls of a client, by gRPC's rule: repeats stop when about one try in ten fails for long, whatever
// the number of calls. Pauses with chance in them keep clients that a restart has thrown out all at once
// from coming back all at once; of the known ways "full jitter" costs the peer the fewest calls
// (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
//
// The breaker saves the callers' time more than the peer's: who would wait for a limit to pass is told
// at once. It counts failures in a row and no rate: a rate needs a window, and a number that says how
// many calls make one.

#include "net/retrying.hpp"

#include <algorithm>
#include <cmath>

namespace halfopen::net {

using std::chrono::milliseconds;

milliseconds doubled_pause(milliseconds first, unsigned tried) noexcept {
  return first * (1U << std::min(std::max(tried, 1U) - 1, 10U));
}

milliseconds jittered_pause(milliseconds first, milliseconds most, unsigned tried, double chance) noexcept {
  // Beyond thirty doublings any pause is longer than any `most`, and the number still fits.
  const double longest = std::ldexp(static_cast<double>(first.count()),
                                    static_cast<int>(std::min(std::max(tried, 1U) - 1, 30U)));
  const double bound = std::min(longest, static_cast<double>(most.count()));
  return milliseconds(static_cast<milliseconds::rep>(std::max(0.0, bound) * std::clamp(chance, 0.0, 1.0)));
}

bool counts_as_failure(const fate& why) noexcept {
  switch (why.how) {
    case ending::completed:
    case ending::shut_down:
    case ending::malformed:
    case ending::local_failure:
      return false;
    default:
      return true;
  }
}

retry_budget::retry_budget(unsigned tokens, double per_answer) noexcept
    : most_(std::int64_t{1000} * tokens),
      per_answer_(static_cast<std::int64_t>(std::clamp(per_answer, 0.0, 1000.0) * 1000)),
      left_(most_) {}

void retry_budget::failed() noexcept {
  left_ = std::max<std::int64_t>(0, left_ - 1000);
}

void retry_budget::answered() noexcept {
  left_ = std::min(most_, left_ + per_answer_);
}

bool circuit_breaker::turns_away(time_point now) const noexcept {
  return open_since_ && (probing_ || now - *open_since_ < probe_after_);
}

circuit_breaker::entry circuit_breaker::enter(time_point now) noexcept {
  if (turns_away(now)) return entry::turned_away;
  if (!open_since_) return entry::ordinary;
  probing_ = true;
  return entry::probe;
}

void circuit_breaker::answered() noexcept {
  in_a_row_ = 0;
  open_since_.reset();
  probing_ = false;
}

void circuit_breaker::failed(time_point now, entry as) noexcept {
  if (most_ == 0) return;
  in_a_row_ = std::min(in_a_row_ + 1, most_);
  // One that began before it opened does not put the probe off.
  if (as == entry::probe || (!open_since_ && in_a_row_ >= most_)) open_since_ = now;
  if (as == entry::probe) probing_ = false;
}

}  // namespace halfopen::net
