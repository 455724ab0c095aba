#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_HUNG_ASK_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_HUNG_ASK_HPP

#include <optional>

#include "judge/moment.hpp"
#include "judge/system/judged_link.hpp"

namespace halfopen::judge {

/// On which connections the service waits while its dependency is away: when the first ask has hung, for that
/// ask; else when the outage ends. `on` must outlive it. Not thread-safe.
class hung_ask {
 public:
  hung_ask(const judged_link& on, outage how) : on_(on), how_(how) {}

  /// Has an ask hung by now? To be called before the world goes on after one has: no packet has told the
  /// service yet that nobody asks any more.
  void look(trace::time_point fault);
  /// Where none hung: it waits for an answer to what it said since the fault, or for nothing that one could
  /// name.
  void look_at_the_end(trace::time_point fault);
  [[nodiscard]] const std::optional<waits_seen>& waits() const noexcept { return waits_; }

 private:
  void look_since(trace::time_point when);

  const judged_link& on_;
  outage how_;
  bool seen_ = false;
  std::optional<waits_seen> waits_;
};

}  // namespace halfopen::judge

#endif
