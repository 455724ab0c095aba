#ifndef HALFOPEN_BENCH_TRAFFIC_HPP
#define HALFOPEN_BENCH_TRAFFIC_HPP

#include <string>
#include <string_view>
#include <vector>

namespace halfopen::bench {

/// Both ends of the two kinds of traffic; each process plays one. They are plain
/// blocking sockets and know nothing of what lies between them.
///
///     serve                    echoes, or swallows, one connection after the other
///     ping ADDRESS ROUNDS      sends a byte, waits for it to come back: prints the median, in us
///     fill ADDRESS BYTES       sends until all was read: prints Gbit/s
///
[[nodiscard]] bool is_traffic(std::string_view role) noexcept;

/// Returns an exit status.
int play_traffic(const std::vector<std::string>& arguments);

}  // namespace halfopen::bench

#endif
