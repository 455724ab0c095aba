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

}  // namespace halfopen

#endif
