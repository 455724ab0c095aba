#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_LOST_DEPENDENCY_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_LOST_DEPENDENCY_HPP

/// \file
/// How a service loses a dependency and gets it back, and what proves that it did. The faults themselves are
/// in src/lab/faults/.

#include <optional>
#include <vector>

#include "halfopen/lab/unique_fd.hpp"
#include "judge/moment.hpp"
#include "judge/system/judged_link.hpp"

namespace halfopen::judge {

/// Whoever asks the dependency is met by it; not by what is done to the service's connections or its link.
[[nodiscard]] bool is_away_for_all(outage how) noexcept;

/// To be lost once or several times. `which` must outlive it. Lives as long as the case's script.
class lost_dependency {
 public:
  lost_dependency(const judged_link& which, outage how);

  /// Does it, at this moment. Throws no_verdict if there is nothing to lose.
  void lose();
  /// What is proved at once.
  void prove_lost();
  /// It can be reached again; throws lab::error if its program does not start.
  void give_back();
  /// ... which is proved by a connection of the witness's. It stands on the sheet.
  void prove_back();
  /// Connections were forgotten, and nobody has used one of them since.
  [[nodiscard]] bool unused() const;
  /// At the end: what is proved by what came, or never came, after the fault.
  void prove_afterwards();

  /// The host that plays its part now: another one, if it has moved.
  [[nodiscard]] const lab::host& now() const noexcept { return *now_; }

 private:
  void start();
  void prove_concerned();
  bool reached_by_witness();
  void listen_and_never_speak();

  const judged_link& on_;
  scene& scene_;
  outage how_;
  lab::host& service_;
  lab::host& dependency_;
  lab::host* now_;
  std::vector<const trace::connection*> before_;
  std::vector<lab::unique_fd> mute_;
  std::size_t count_ = 0;  ///< of the connections that were forgotten or reset
  trace::time_point lost_at_{}, returns_at_{};
  std::uint64_t returns_after_ = 0;  ///< the last packet that the cable had in hand before
};

}  // namespace halfopen::judge

#endif
