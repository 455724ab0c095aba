#ifndef HALFOPEN_FATE_COUNTS_HPP
#define HALFOPEN_FATE_COUNTS_HPP

#include <array>
#include <cstddef>

#include "halfopen/fate.hpp"

namespace halfopen {

/// How many fates of each ending in each phase, for whoever exports metrics. A value.
struct fate_counts {
  static constexpr std::size_t phases = 5;
  std::array<std::array<std::size_t, phases>, all_endings.size()> by_ending_and_phase{};

  /// One whose words are out of range is not counted.
  void add(ending how, phase when, std::size_t many = 1) noexcept {
    const auto e = static_cast<std::size_t>(how);
    const auto p = static_cast<std::size_t>(when);
    if (e < by_ending_and_phase.size() && p < phases) by_ending_and_phase[e][p] += many;
  }
  void add(const fate& f) noexcept { add(f.how, f.when); }

  [[nodiscard]] std::size_t of(ending how, phase when) const noexcept {
    return by_ending_and_phase.at(static_cast<std::size_t>(how)).at(static_cast<std::size_t>(when));
  }
  [[nodiscard]] std::size_t of(ending how) const noexcept {
    std::size_t sum = 0;
    for (const std::size_t n : by_ending_and_phase.at(static_cast<std::size_t>(how))) sum += n;
    return sum;
  }
  [[nodiscard]] std::size_t total() const noexcept {
    std::size_t sum = 0;
    for (const ending e : all_endings) sum += of(e);
    return sum;
  }
};

}  // namespace halfopen

#endif
