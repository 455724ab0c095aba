#ifndef HALFOPEN_SRC_CLOCK_GUEST_INIT_HPP
#define HALFOPEN_SRC_CLOCK_GUEST_INIT_HPP

namespace halfopen::clock {

/// The argument by which the guest's kernel asks for it; the folder's path follows.
inline constexpr const char* init_argument = "clock-guest-init";

/// True if this process is a guest's init: process 1, started with init_argument.
[[nodiscard]] bool is_guest_init(int argc, char** argv) noexcept;

/// Sets the guest up, runs the job that is in that folder of the host's, says how it
/// ended, and powers the guest off.
[[noreturn]] void run_guest_init(const char* folder);

}  // namespace halfopen::clock

#endif
