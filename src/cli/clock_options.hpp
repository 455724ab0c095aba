#ifndef HALFOPEN_SRC_CLI_CLOCK_OPTIONS_HPP
#define HALFOPEN_SRC_CLI_CLOCK_OPTIONS_HPP

#include <signal.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "clock/guest.hpp"

namespace halfopen::cli {

inline constexpr const char* no_kernel =
    "the virtual clock's kernel is not there; once a machine, some minutes: halfopen clock build";

/// What a guest that failed makes of the exit status, as docker(1) and env(1) have it.
inline constexpr int guest_failed = 125;

/// What every verb that starts guests takes.
struct guest_arguments {
  std::size_t memory_mb = 512;
  double real_limit = 600;
  double standstill_limit = 30;
  std::uint64_t seed = 1;
  bool plain = false;
  std::optional<std::chrono::sys_days> date;  ///< on which guests begin, at midnight; nothing: today
};

/// "2026-02-28"; nothing for what is no day of 1970 to 2199.
[[nodiscard]] std::optional<std::chrono::sys_days> parse_date(std::string_view text) noexcept;

/// What the wall clocks of guests begin at, if it is `now` when they are asked for: the same for all
/// of a day (UTC). Without a date it is the day's last second, so that nothing which was made on it
/// comes from the future: a certificate that has just been issued is valid, a file is not newer than now.
[[nodiscard]] std::chrono::sys_seconds beginning(const guest_arguments& arguments,
                                                 std::chrono::system_clock::time_point now);

/// Throws usage_error if a date is given to a clock that cannot be set.
void check_date(const guest_arguments& arguments, std::string_view clock);

void add_guest_options(CLI::App& verb, guest_arguments& arguments);
/// Guests that are asked for now.
[[nodiscard]] clock::guest_options options_of(const guest_arguments& arguments);

/// While it lives, SIGINT, SIGTERM and SIGHUP only make asked() true. One within another does not forget
/// what was asked before.
class stop_signals {
 public:
  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;
  [[nodiscard]] static bool asked() noexcept;

 private:
  struct sigaction before_[3];
};

}  // namespace halfopen::cli

#endif
