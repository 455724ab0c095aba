#ifndef HALFOPEN_RETRY_POLICY_HPP
#define HALFOPEN_RETRY_POLICY_HPP

#include <chrono>
#include <string_view>

namespace halfopen {

/// How long a client asks again, and when it lets a peer in trouble alone. What may be asked again at
/// all is decided by the fate (client.hpp). By default nothing here is on.
struct retry_policy {
  /// Tries are not counted: what may be asked again is, until the call's limit. The pauses between them
  /// are by chance between nothing and `pause`, then twice that and so on up to `most_pause` ("full
  /// jitter": exponential backoff of clients that do not come back all at once). After a connection that
  /// was open the first repeat is at once. A call without a limit may then go on for ever.
  bool until_limit = false;
  std::chrono::milliseconds most_pause{5'000};

  /// A budget for the repeats of all calls together, by gRPC's rule (gRFC A6, retry throttling): it
  /// begins with so many tokens, which is also the most; each try that fails takes one, each call that
  /// is answered gives `tokens_per_answer` back, and with half of them or fewer nothing is asked again.
  /// So a peer that fails all is not asked several times as often as before. 0: no budget.
  unsigned tokens = 0;
  double tokens_per_answer = 0.1;  ///< in steps of a thousandth

  /// A circuit breaker: after so many tries in a row that failed, calls end at once, without a try,
  /// with local_failure and the detail `circuit_is_open`. After `probe_after` one call is let
  /// through: if it is answered all are again, if it fails the next may after as long. 0: no breaker.
  unsigned break_after = 0;
  std::chrono::milliseconds probe_after{1'000};
};
// As a failure counts what speaks of the peer or the way to it: a refusal, a reset, silence, a limit that
// passed. Not what this side did (shut_down, local_failure), and not bytes in another format: somebody is
// there.

/// The detail of a call that was not tried: client_options::retrying. Its `again` is safe.
inline constexpr std::string_view circuit_is_open = "not tried: the circuit is open after failures in a row";

}  // namespace halfopen

#endif
