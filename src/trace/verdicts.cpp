// The decisions that accuse somebody.
//
// A wrong culprit sends people to the wrong machine, so each of these asks for the least
// evidence that has no harmless explanation, and says less where it has one. They are apart
// from the sentences that report them so that every branch can be tested by its number.

#include "trace/verdicts.hpp"

#include <algorithm>

namespace halfopen::trace {

using namespace std::chrono_literals;

namespace {

/// That many packets show what TTL a host's packets have here. One or two may have come another
/// way, or from another program of that host (a scanner makes its own packets).
constexpr std::uint64_t enough_packets = 3;

/// Windows repeats a SYN twice and data five times (TcpMaxConnectRetransmissions,
/// TcpMaxDataRetransmissions), Linux data at least three (tcp_retries1), and fast
/// retransmission and tail loss probes come before the timer.
constexpr std::uint64_t least_repeats = 3;
constexpr std::uint64_t all_repeats = 5;

confidence one_less(confidence c) noexcept {
  return c == confidence::certain ? confidence::likely : confidence::possible;
}

}  // namespace

author author_of(const reset_signs& s) noexcept {
  const bool other_ttl = s.other_ttl && s.ttl_steady && s.ttl_behind >= enough_packets;
  const bool went_on = s.went_on > 0;
  // A host counts its packets, and nobody on the way knows how far it has got.
  if (s.id_in_row) return went_on ? author::unknown : author::host;
  // Whoever has a TCP of his own in a program (scanners, packet generators) has a kernel that
  // answers for him, and both go on.
  const bool kernels = s.answers && !s.not_heeded;
  if (went_on) {
    if (other_ttl) return kernels ? author::middlebox_likely : author::middlebox;
    return kernels ? author::unknown : author::middlebox_likely;
  }
  if (other_ttl && s.ahead) return author::middlebox_likely;
  return other_ttl || s.ahead ? author::unknown : author::host;
}

std::optional<confidence> vanished(const silence_signs& s) noexcept {
  const auto sure = [&](confidence c) { return s.capture_lacks ? one_less(c) : c; };
  if (s.repeats == 0) return std::nullopt;
  // Linux's keepalive interval is at least 1 s, its first timeout of a SYN 1 s.
  constexpr auto long_silence = 900ms;
  if (s.every_packet)
    return s.repeats > 1 || s.connecting || s.quiet >= long_silence ? std::optional{confidence::certain}
                                                                    : std::nullopt;
  if (s.gave_up) {  // it says itself that it has waited long enough
    if (s.repeats < 2 || s.lasted < long_silence) return std::nullopt;
    return sure(s.repeats >= least_repeats ? confidence::certain : confidence::likely);
  }
  // The next repeat comes after about twice the time of the last (RFC 6298 section 5.5): once that
  // has passed, the sender has given up.
  const auto until_the_next = std::min<std::chrono::nanoseconds>(s.gap, 120s) * 5 / 2;
  const bool stopped = s.quiet >= std::max<std::chrono::nanoseconds>(until_the_next, 1s);
  if (s.connecting) {
    if (s.repeats >= all_repeats) return sure(stopped ? confidence::certain : confidence::likely);
    if (s.repeats >= 2)
      return stopped || s.repeats >= least_repeats ? std::optional{sure(confidence::likely)} : std::nullopt;
    return stopped ? std::optional{confidence::possible} : std::nullopt;
  }
  if (s.repeats < least_repeats || s.lasted < long_silence) return std::nullopt;
  if (s.repeats >= all_repeats) return sure(stopped ? confidence::certain : confidence::likely);
  return stopped || s.lasted >= 10s ? std::optional{sure(confidence::likely)} : std::nullopt;
}

std::optional<confidence> owed(const debt_signs& s) noexcept {
  if (s.known) return *s.known ? std::optional{confidence::certain} : std::nullopt;
  if (!s.opener_seen || s.capture_lacks || s.answered > 0 || s.asked == 0) return std::nullopt;
  return confidence::likely;
}

bool may_have_rebooted(const amnesia_signs& s) noexcept {
  return s.answers && s.established && !s.said_fin;
}

std::optional<confidence> unread(const unread_signs& s) noexcept {
  if (!s.closed || !s.came_later || s.unheard == 0) return std::nullopt;
  return s.answers ? confidence::certain : confidence::likely;
}

bool took_time_wait(const reuse_signs& s) noexcept {
  constexpr auto time_wait = 60s;  // TCP_TIMEWAIT_LEN in Linux's include/net/tcp.h
  return s.both_fins_acked && !s.reset && !s.capture_lacks && s.since > 0ns && s.since < time_wait;
}

}  // namespace halfopen::trace
