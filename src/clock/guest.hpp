#ifndef HALFOPEN_SRC_CLOCK_GUEST_HPP
#define HALFOPEN_SRC_CLOCK_GUEST_HPP

/// \file
/// One job in a User-Mode Linux guest of its own, whose time jumps over waiting.
///
///     clock::guest g(*clock::find_kernel(), clock::job_here({"sleep", "3600"}));
///     while (!g.ended()) clock::wait_for_any({&g}, 100ms);
///     // g.ended()->code == 0, g.ended()->guest_time is an hour, and a tenth of a second has passed

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "clock/guest_end.hpp"
#include "clock/job.hpp"
#include "clock/kernel.hpp"

namespace halfopen::clock {

/// What computing costs inside.
enum class computing : std::uint8_t {
  takes_no_time,  ///< time-travel=inf-cpu: repeats exactly; a program that spins stops time
  takes_time,     ///< time-travel: time runs on while a program computes
};

struct guest_options {
  computing speed = computing::takes_no_time;
  std::size_t memory_mb = 512;  ///< at most; what is not used costs nothing
  /// Everything random inside is made of it. Nothing: of the host's randomness.
  std::optional<std::uint64_t> seed = 1;
  /// What its wall clock begins at. Nothing: the time that it is now.
  std::optional<std::chrono::sys_time<std::chrono::nanoseconds>> begins;
  // Neither counts the time in which the guest's processes were ready to run and others had the processor.
  std::chrono::milliseconds real_limit{0};             ///< 0: none
  std::chrono::milliseconds standstill_limit{30'000};  ///< of guest time, in real time; 0: none
  std::function<void(std::string_view)> output;        ///< what the program writes, as it comes
  std::function<void(std::string_view)> errors;
};

/// Throws lab::error if it cannot be started. Everything of it ends with this object, or
/// with this process, however that ends. Not thread-safe; the thread that makes it must
/// outlive it (PR_SET_PDEATHSIG, prctl(2)).
class guest {
 public:
  guest(const kernel& k, const job& what, guest_options how = {});
  ~guest();
  guest(guest&&) noexcept;
  guest& operator=(guest&&) noexcept;

  /// Takes in what has happened, and holds it to its limits. Does not wait.
  void look();
  /// How it ended, and all its output had been given by then.
  [[nodiscard]] const std::optional<guest_end>& ended() const noexcept;
  /// Ends it and everything in it at once.
  void stop();

  /// Time since it was started, inside. Zero if the host does not let us see it.
  [[nodiscard]] std::chrono::nanoseconds guest_time() const;
  /// How long its programs had computed since its time moved last, when it was looked at: one computes, or
  /// spins. That they waited for a processor is not counted, nor, but for a quarter, that nothing of it ran.
  [[nodiscard]] std::chrono::nanoseconds standstill() const;
  /// Memory that it uses now, in KiB: the share (Pss, proc(5)) of its kernel's process and of
  /// those that its programs run in.
  [[nodiscard]] long memory_kib() const;
  [[nodiscard]] int pid() const noexcept;
  /// Readable when there is something to look() at (poll(2)).
  [[nodiscard]] int descriptor() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Waits until one of them has something to tell or the limit is over, and look()s at all.
/// Returns early if a signal comes.
void wait_for_any(std::span<guest* const> guests, std::chrono::milliseconds limit);

}  // namespace halfopen::clock

#endif
