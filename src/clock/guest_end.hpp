#ifndef HALFOPEN_SRC_CLOCK_GUEST_END_HPP
#define HALFOPEN_SRC_CLOCK_GUEST_END_HPP

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "clock/job.hpp"

namespace halfopen::clock {

/// How a guest ended.
enum class guest_fate : std::uint8_t {
  done,            ///< the job ended by itself or by a signal inside: `code`
  job_failed,      ///< the job could not be started
  out_of_memory,   ///< the guest had no memory left
  waits_for_ever,  ///< every process waits, and no timer runs
  panicked,        ///< its kernel gave up for another reason
  stood_still,     ///< its time did not move for longer than the limit
  too_long,        ///< it ran for longer than the real-time limit
  stopped,         ///< by guest::stop()
  died,            ///< its kernel's process ended, and nobody knows why
};

struct guest_end {
  guest_fate how{};
  int code = 0;                           ///< of the job: its exit status, or 128 + N for signal N
  std::string detail;                     ///< the kernel's or init's own words; may be empty
  std::chrono::nanoseconds guest_time{};  ///< how long it was, inside, as far as was seen
  std::chrono::milliseconds real_time{};
  long peak_kib = 0;  ///< memory of the guest's kernel, at most
};

/// What a guest that was not stopped from outside ended of. `console` is what its kernel
/// wrote, `wait_status` its process's status (wait(2)).
[[nodiscard]] guest_end judge_end(const status& inside, std::string_view console, int wait_status);

/// A sentence for the user, with what can be done: "the guest had no memory left (512 MB; ...".
[[nodiscard]] std::string in_words(const guest_end& end);

}  // namespace halfopen::clock

#endif
