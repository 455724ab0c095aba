#ifndef HALFOPEN_SRC_JUDGE_CONFIRM_HPP
#define HALFOPEN_SRC_JUDGE_CONFIRM_HPP

/// \file
/// What rests on time is played a second time before it counts, and what the machine's load may have kept
/// from being proved gets a second chance. Pure functions.

#include <span>
#include <vector>

#include "judge/result.hpp"

namespace halfopen::judge {

/// Where a case is played again.
enum class again : std::uint8_t {
  no,
  virtual_clock,  ///< where load cannot matter, and a hang is watched to its end
  alone,          ///< with the real clock, and nothing else of the judge's under way
};

/// What a first playing asks for. `has_kernel`: the virtual clock's is there.
[[nodiscard]] again second_playing(const case_result& first, bool has_kernel);

/// Whether a second playing that does not accuse shall be followed by a third, alone: under the virtual
/// clock other things come first, and a race that a program loses every day may be won there.
[[nodiscard]] bool third_playing(const case_result& first, const case_result& second) noexcept;

/// What counts after both. A second playing that says nothing about the program neither confirms nor
/// refutes; then the result is inconclusive too.
[[nodiscard]] case_result confirmed(const case_result& first, const case_result& second, again how);

/// Of a result whose confirmation is still wanted: nobody could play it again.
[[nodiscard]] case_result unconfirmed(const case_result& first, const std::string& why);

}  // namespace halfopen::judge

#endif
