#include "judge/decide/server.hpp"

#include <netinet/tcp.h>
#include <signal.h>

namespace halfopen::judge {

finding decide_end(const lab::exit_status& end) noexcept {
  return {.verdict = verdict::fail, .did = deadly_signal(end) != 0 ? outcome::crashed : outcome::ended};
}

finding decide(const other_client& seen) noexcept {
  if (seen.server_ended) return decide_end(*seen.server_ended);
  if (seen.got == answer::as_ever) return {};
  const outcome did = seen.got == answer::none ? outcome::no_answer : outcome::wrong_answer;
  // Its command fails by itself: a file that is gone, a machine on which it does not even start in time.
  if (!seen.came) return {.verdict = verdict::inconclusive, .did = did, .why = obstacle::lab_failed};
  if (seen.got == answer::another && seen.unpredictable)
    return {.verdict = verdict::inconclusive, .did = outcome::wrong_answer, .why = obstacle::varies};
  return {.verdict = verdict::fail, .did = did, .rests_on = basis::time};
}

finding decide(const held_sockets& seen) noexcept {
  using source = hang_length::source;
  const auto found = [](verdict v, outcome o, hang_length l) {
    return finding{.verdict = v, .did = o, .rests_on = basis::time, .length = l};
  };
  // It was told so, and no timer of the kernel ends that: the length is of no interest.
  if (seen.state == TCP_CLOSE_WAIT || seen.state == TCP_CLOSE)
    return found(verdict::fail, outcome::holds, {});
  const auto by_kernel = seen.wait ? seen.wait->by_kernel : std::nullopt;
  if (seen.watched) {
    if (seen.released) return found(verdict::warn, outcome::releases_late, {source::measured, seen.watched});
    if (seen.to_the_end)
      return found(verdict::fail, outcome::holds, {source::measured, std::nullopt, seen.watched});
    return found(verdict::warn, outcome::releases_late, {source::computed, by_kernel});
  }
  if (by_kernel) return found(verdict::warn, outcome::holds, {source::computed, by_kernel});
  if (seen.wait && seen.endless == true)
    return found(verdict::fail, outcome::holds, {source::computed, std::nullopt});
  return found(verdict::warn, outcome::holds, {});
}

finding decide(const load_seen& seen) noexcept {
  if (!seen.share)
    return {.verdict = verdict::inconclusive,
            .did = outcome::spins,
            .rests_on = basis::processor,
            .why = obstacle::too_busy};
  if (*seen.share < too_busy) return {};
  return {.verdict = verdict::fail, .did = outcome::spins, .rests_on = basis::processor};
}

finding decide(const request_at_stop& seen) noexcept {
  const finding well{.did = outcome::does_as_asked};
  if (seen.closed_in && !seen.told) return {.verdict = verdict::fail, .did = outcome::not_as_asked};
  if (seen.closed_in || seen.answered) return well;
  if (seen.unpredictable)
    return {.verdict = verdict::inconclusive, .did = outcome::not_as_asked, .why = obstacle::varies};
  return {.verdict = verdict::fail, .did = outcome::not_as_asked, .rests_on = basis::time};
}

finding decide(const death_seen& seen) noexcept {
  if (seen.signal != SIGPIPE) return {.verdict = verdict::fail, .did = outcome::process_crashed};
  if (seen.by_its_pipe) return {};  // curl | head
  // A process a connection may do with that; one that serves several must not.
  return {.verdict = verdict::warn, .did = outcome::process_crashed};
}

}  // namespace halfopen::judge
