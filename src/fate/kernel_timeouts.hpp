#ifndef HALFOPEN_SRC_FATE_KERNEL_TIMEOUTS_HPP
#define HALFOPEN_SRC_FATE_KERNEL_TIMEOUTS_HPP

#include <chrono>

namespace halfopen {

/// How long Linux goes on by itself. Computed from the settings, by the formulas
/// of the kernel's source; the real length is a little above, as a timer's
/// distance also holds the measured round-trip time.
/// All functions are pure.

using milliseconds = std::chrono::milliseconds;

/// net.ipv4.tcp_retries2: data in flight, nobody acknowledges.
/// net/ipv4/tcp_timer.c, tcp_model_timeout(), with TCP_RTO_MIN 200 ms and
/// TCP_RTO_MAX 120 s unless net.ipv4.tcp_rto_max_ms says otherwise.
[[nodiscard]] milliseconds retransmission_gives_up(int retries2 = 15,
                                                   milliseconds rto_max = milliseconds(120'000)) noexcept;

/// net.ipv4.tcp_syn_retries and, from Linux 6.5, tcp_syn_linear_timeouts: nobody
/// answers the SYN. A user timeout (0: none) cuts it short, but not below the first second.
[[nodiscard]] milliseconds connect_gives_up(int syn_retries = 6, int linear = 4,
                                            milliseconds user_timeout = milliseconds(0),
                                            milliseconds rto_max = milliseconds(120'000)) noexcept;

/// net.ipv4.tcp_keepalive_time, _intvl, _probes: idle, SO_KEEPALIVE on. A user timeout
/// (0: none) takes the place of the count of probes.
[[nodiscard]] milliseconds keepalive_gives_up(milliseconds time = milliseconds(7'200'000),
                                              milliseconds interval = milliseconds(75'000), int probes = 9,
                                              milliseconds user_timeout = milliseconds(0)) noexcept;

using microseconds = std::chrono::microseconds;

/// Between these two it happens. A timer is never early, and late by the granularity of the
/// kernel's wheel; what else the kernel may add (a loss probe first) is in `most`.
struct span {
  milliseconds least{}, most{};
  friend bool operator==(const span&, const span&) = default;
};

/// By how much a timer of that distance may be late, where the kernel counts in such ticks (1/HZ;
/// kernel/time/timer.c, calc_wheel_index()). 0: timers are exact.
[[nodiscard]] milliseconds late_by(milliseconds distance, microseconds tick) noexcept;

/// What ends one connection with data in flight: not the model's timer, but its own.
struct retransmission {
  int retries2 = 15;
  milliseconds rto{200};  ///< its retransmission timer, not backed off (tcpi_rto)
  milliseconds rto_max{120'000};
  milliseconds user_timeout{0};  ///< 0: retries2 decides
  microseconds tick{0};
  friend bool operator==(const retransmission&, const retransmission&) = default;
};

/// From the write on, nobody acknowledges.
[[nodiscard]] span gives_up(const retransmission& r) noexcept;

/// From now on: it has been sent again `done` times, and the timer runs `left` more.
[[nodiscard]] span gives_up(const retransmission& r, int done, milliseconds left) noexcept;

/// What ends an idle connection with SO_KEEPALIVE on.
struct keepalive_rule {
  milliseconds time{7'200'000};
  milliseconds interval{75'000};
  int probes = 9;
  milliseconds user_timeout{0};  ///< 0: the probes are counted
  microseconds tick{0};
};

/// From the peer's last segment on.
[[nodiscard]] span gives_up(const keepalive_rule& k) noexcept;

/// From now on: `sent` probes are unanswered, the peer was heard `silent` ago, and the timer runs `left`
/// more.
[[nodiscard]] span gives_up(const keepalive_rule& k, int sent, milliseconds silent,
                            milliseconds left) noexcept;

/// What ends a connect that nobody answers.
struct connect_rule {
  int syn_retries = 6;
  int linear = 4;                ///< tcp_syn_linear_timeouts
  milliseconds user_timeout{0};  ///< 0: none
  milliseconds rto_max{120'000};
  microseconds tick{0};
};

/// From the first SYN on.
[[nodiscard]] span gives_up(const connect_rule& c) noexcept;

/// From now on: the SYN has been sent again `done` times, and the timer runs `left` more.
[[nodiscard]] span gives_up(const connect_rule& c, int done, milliseconds left) noexcept;

/// What ends a connection whose peer keeps its window closed, and then vanishes: tcp_probe_timer().
struct window_rule {
  int retries2 = 15;
  milliseconds rto{200};
  milliseconds rto_max{120'000};
  milliseconds user_timeout{0};  ///< 0: the probes are counted
  microseconds tick{0};
};

/// From now on: `sent` probes are unanswered, the timer has been doubled `backoff` times, and runs `left`
/// more.
[[nodiscard]] span gives_up(const window_rule& w, int sent, int backoff, milliseconds left) noexcept;

}  // namespace halfopen

#endif
