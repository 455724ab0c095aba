#ifndef HALFOPEN_DEADLINE_HPP
#define HALFOPEN_DEADLINE_HPP

#include <chrono>

namespace halfopen {

/// When an operation gives up, on the steady clock. Every operation of the library takes
/// one, and there is no default: to wait for ever must be said. One that has passed, such as
/// 0s, allows what needs no waiting on an open connection, and no new connection. A value.
///
///     co_await s.read_line(4096, 5s);                // within 5 s from here
///     const deadline whole = 30s;                    // several operations, one limit
///     co_await s.read_line(4096, deadline::never()); // for ever
class deadline {
 public:
  using clock = std::chrono::steady_clock;

  template <class Rep, class Period>
  deadline(std::chrono::duration<Rep, Period> from_now) : at_(after(from_now)) {}  // NOLINT(*-explicit-*)
  deadline(clock::time_point at) noexcept : at_(at) {}                             // NOLINT(*-explicit-*)

  [[nodiscard]] static deadline never() noexcept { return clock::time_point::max(); }

  [[nodiscard]] clock::time_point at() const noexcept { return at_; }
  [[nodiscard]] bool passed() const noexcept { return *this != never() && at_ <= clock::now(); }

  friend bool operator==(deadline, deadline) = default;
  /// The earlier of the two.
  [[nodiscard]] friend deadline min(deadline a, deadline b) noexcept { return a.at_ < b.at_ ? a : b; }

 private:
  template <class Duration>
  static clock::time_point after(Duration d) {
    const auto now = clock::now();
    const auto most = std::chrono::duration<double>(clock::time_point::max() - now);
    return std::chrono::duration<double>(d) >= most ? clock::time_point::max()
                                                    : now + std::chrono::ceil<clock::duration>(d);
  }

  clock::time_point at_;
};

}  // namespace halfopen

#endif
