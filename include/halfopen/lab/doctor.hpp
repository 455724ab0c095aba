#ifndef HALFOPEN_LAB_DOCTOR_HPP
#define HALFOPEN_LAB_DOCTOR_HPP

/// \file
/// Can this machine run the lab? Every requirement is tried, not looked up.

#include <string>
#include <vector>

namespace halfopen::lab {

struct requirement {
  std::string what;  ///< "a cable: veth and packet sockets"
  bool met = false;
  bool needed = true;  ///< false: the lab runs without it, and says what it misses
  std::string detail;  ///< what was found, or the error
  std::string remedy;  ///< the exact command or setting; empty if met
};

/// Tries everything, each in a world of its own; takes some 50 ms. Call it from a
/// process with one thread.
[[nodiscard]] std::vector<requirement> examine();

/// True if nothing that is needed is missing.
[[nodiscard]] bool can_run(const std::vector<requirement>& found) noexcept;

}  // namespace halfopen::lab

#endif
