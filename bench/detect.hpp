#ifndef HALFOPEN_BENCH_DETECT_HPP
#define HALFOPEN_BENCH_DETECT_HPP

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/experiment.hpp"

namespace halfopen::bench {

/// What bench/run detect measures; each prints its table. Both need a world from
/// lab::enter(). False if a fate was another one than the fault should give.
[[nodiscard]] bool measure_told(int times);
[[nodiscard]] bool measure_vanished(const std::vector<std::chrono::milliseconds>& promises, int repeats);

/// How a connection of the second measurement is used when the host vanishes.
enum class use : std::uint8_t { idle, one_segment, many_segments, written_late };
inline constexpr use all_uses[]{use::idle, use::one_segment, use::many_segments, use::written_late};

/// The programs on the client's host, on the library. They do as their standard input says
/// and report on their standard output, times in nanoseconds of the steady clock, which is
/// one for all processes of a machine.
///
///     client-told ADDRESS wait|write
///         For each line: connects, says "up", and waits for its fate: at once, or, after
///         another line, with a byte written. "ENDING OR_ELSE TIME DELAY", where OR_ELSE may
///         be "-" and DELAY is what it has waited for a processor in its life.
///     client-vanished ADDRESS REPEATS MILLISECONDS...
///         A connection for each use, promise and repeat; exchanges a byte on each and says
///         "ready". After a line it uses them. "USE MILLISECONDS ENDING TOOK" for each.
///
[[nodiscard]] bool is_client(std::string_view role) noexcept;
/// Returns an exit status.
int play_client(const std::vector<std::string>& arguments);

inline constexpr std::uint16_t detect_port = 7;

/// A nonblocking socket of the lab's own that listens on a host.
[[nodiscard]] inline lab::unique_fd listen_on(const lab::host& h) {
  lab::unique_fd listener;
  h.in_network([&] {
    listener.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(detect_port);
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
        ::listen(listener.get(), SOMAXCONN) != 0)
      throw std::runtime_error("cannot listen on the server's host");
  });
  return listener;
}

}  // namespace halfopen::bench

#endif
