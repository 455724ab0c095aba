#ifndef HALFOPEN_LIVENESS_HPP
#define HALFOPEN_LIVENESS_HPP

/// \file
/// How soon a dead peer is noticed. One number, "within 10 s, idle or not", becomes the
/// right socket options in one call; and back: how long would a socket with these
/// options hang on this machine?
///
///     halfopen::set_liveness(fd, std::chrono::seconds(10));   // after connect or accept
///
/// Works on any TCP descriptor, from any event loop or none. Thread-safe; nothing here
/// allocates more than a string, and nothing throws but for want of memory. Every error is
/// the errno of setsockopt(2) or getsockopt(2): ENOPROTOOPT where the kernel has no such
/// option, EBADF or ENOTSOCK where `fd` is no socket. From C++17 on; a program may be compiled at another
/// language level than the library.

#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>

#include "halfopen/result.hpp"

namespace halfopen {

/// The socket options that decide when a dead peer is noticed (tcp(7), socket(7)).
struct liveness {
  bool keepalive = false;                     ///< SO_KEEPALIVE
  std::chrono::seconds idle{7200};            ///< TCP_KEEPIDLE: silence before the first probe
  std::chrono::seconds interval{75};          ///< TCP_KEEPINTVL: from probe to probe
  int probes = 9;                             ///< TCP_KEEPCNT
  std::chrono::milliseconds user_timeout{0};  ///< TCP_USER_TIMEOUT; 0: tcp_retries2 decides
#ifdef __cpp_impl_three_way_comparison
  friend bool operator==(const liveness&, const liveness&) = default;
#endif
};

/// The least promise that the options, which count in seconds, can keep.
inline constexpr std::chrono::milliseconds least_notice{2000};

/// The options with which a dead peer is noticed after that time: counted from its last
/// segment on an idle connection, and from the write on one with data in flight, also if
/// the peer was dead before it was written. Less than least_notice is taken for it, and
/// more than 32767 s for that.
///
/// From 3 s on it is never noticed earlier than promised, and at most 10 % later (measured,
/// src/fate/liveness.cpp), but for these: a round trip adds up to three of itself to data in
/// flight (3 s and 80 ms: 3.45 s); on an idle connection a fraction of a second counts for a
/// whole one; where rto_min is below the kernel's 200 ms, or a loss was being repaired just
/// then, it may be 200 ms early. 2 s may take 12 % more. A peer that lives but takes no data
/// for so long counts as dead.
[[nodiscard]] liveness noticed_within(std::chrono::milliseconds within) noexcept;

/// Sets them all on a connected TCP socket. On one that is still connecting, the user
/// timeout would cut the SYN's retransmission short too (tcp_write_timeout() in
/// net/ipv4/tcp_timer.c). The error is setsockopt's; options before it are set.
result<void> set_liveness(int fd, const liveness& options) noexcept;
result<void> set_liveness(int fd, std::chrono::milliseconds within) noexcept;

/// ICMP errors about an open connection are told at once instead of at the end (IP_RECVERR,
/// IPV6_RECVERR). RFC 1122 section 4.2.3.9 asks that they do not end it: after one, the
/// socket goes on. Which router sent it Linux does not keep then; for a connection that is
/// being opened it does, over IPv6 only if this was called before connect.
result<void> report_icmp(int fd, bool at_once = true) noexcept;

/// What a socket has set.
[[nodiscard]] result<liveness> liveness_of(int fd) noexcept;

/// The kernel's own settings (Documentation/networking/ip-sysctl.rst), as they are by default.
struct kernel_timers {
  int retries2 = 15;                            ///< tcp_retries2
  int syn_retries = 6;                          ///< tcp_syn_retries
  int syn_linear_timeouts = 4;                  ///< tcp_syn_linear_timeouts; 0 before Linux 6.5
  std::chrono::milliseconds rto_min{200};       ///< tcp_rto_min_us (6.11), TCP_RTO_MIN before
  std::chrono::milliseconds rto_max{120'000};   ///< tcp_rto_max_ms (6.15), TCP_RTO_MAX before
  std::chrono::seconds keepalive_time{7200};    ///< tcp_keepalive_time, of sockets that do not say
  std::chrono::seconds keepalive_interval{75};  ///< tcp_keepalive_intvl
  int keepalive_probes = 9;                     ///< tcp_keepalive_probes
#ifdef __cpp_impl_three_way_comparison
  friend bool operator==(const kernel_timers&, const kernel_timers&) = default;
#endif
};

/// Those of the calling thread's network namespace, read under `sysctls`. A setting
/// that this kernel does not have keeps its old fixed value.
[[nodiscard]] kernel_timers read_kernel_timers(std::string_view sysctls = "/proc/sys/net/ipv4");

/// How long a program that waits on a socket whose peer is gone would wait. Nothing: for ever.
struct hang {
  std::optional<std::chrono::milliseconds> idle;        ///< from the peer's last segment
  std::optional<std::chrono::milliseconds> in_flight;   ///< from the write
  std::optional<std::chrono::milliseconds> connecting;  ///< from the first SYN
#ifdef __cpp_impl_three_way_comparison
  friend bool operator==(const hang&, const hang&) = default;
#endif
};

/// Computed, by the formulas of the kernel's source; the real length is a little above,
/// since a timer's distance holds the measured round-trip time as well.
[[nodiscard]] hang would_hang(const liveness& options, const kernel_timers& timers = {}) noexcept;

/// The same of a socket as it is now, with this network namespace's settings and the
/// socket's own TCP_SYNCNT.
[[nodiscard]] result<hang> would_hang(int fd);

}  // namespace halfopen

#endif
