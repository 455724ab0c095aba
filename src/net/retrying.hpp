#ifndef HALFOPEN_SRC_NET_RETRYING_HPP
#define HALFOPEN_SRC_NET_RETRYING_HPP

#include <chrono>
#include <cstdint>
#include <optional>

#include "halfopen/deadline.hpp"
#include "halfopen/fate.hpp"

/// The parts of a retry_policy, without a clock and without chance: both are told. Not synchronised.
namespace halfopen::net {

/// `first` after the first try, doubled with each one since.
[[nodiscard]] std::chrono::milliseconds doubled_pause(std::chrono::milliseconds first,
                                                      unsigned tried) noexcept;
/// Full jitter: that of the two which is shorter, times `chance`, which is from 0 to 1.
[[nodiscard]] std::chrono::milliseconds jittered_pause(std::chrono::milliseconds first,
                                                       std::chrono::milliseconds most, unsigned tried,
                                                       double chance) noexcept;

/// It speaks of the peer or of the way to it.
[[nodiscard]] bool counts_as_failure(const fate& why) noexcept;

/// gRPC's retry throttling. In thousandths of a token.
class retry_budget {
 public:
  /// 0 tokens: no limit.
  retry_budget(unsigned tokens, double per_answer) noexcept;
  void failed() noexcept;
  void answered() noexcept;
  [[nodiscard]] bool allows_repeat() const noexcept { return most_ == 0 || left_ > most_ / 2; }

 private:
  std::int64_t most_, per_answer_, left_;
};

/// Closed, open, or open with a probe under way.
class circuit_breaker {
 public:
  using time_point = deadline::clock::time_point;
  /// 0 failures: never opens.
  circuit_breaker(unsigned failures, std::chrono::milliseconds probe_after) noexcept
      : most_(failures), probe_after_(probe_after) {}

  /// Whoever comes now is turned away.
  [[nodiscard]] bool turns_away(time_point now) const noexcept;
  /// How somebody comes in whom it does not turn away; a probe is to say what came of it.
  enum class entry : std::uint8_t { turned_away, ordinary, probe };
  [[nodiscard]] entry enter(time_point now) noexcept;

  void answered() noexcept;
  void failed(time_point now, entry as) noexcept;
  /// The probe has ended, and nobody knows more of the peer.
  void probe_is_over() noexcept { probing_ = false; }

 private:
  unsigned most_;
  std::chrono::milliseconds probe_after_;
  unsigned in_a_row_ = 0;
  std::optional<time_point> open_since_;
  bool probing_ = false;
};

}  // namespace halfopen::net

#endif
