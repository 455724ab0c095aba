#ifndef HALFOPEN_BENCH_CONTEST_HPP
#define HALFOPEN_BENCH_CONTEST_HPP

#include <memory>
#include <string_view>
#include <vector>

#include "bench/call_counter.hpp"
#include "bench/load.hpp"
#include "bench/servers.hpp"

namespace halfopen::bench {

struct pattern {
  std::string_view name, title;
  std::size_t connections = 0, depth = 0;  ///< depth: requests under way on each
};

/// What happened in the time that counts.
struct performance {
  double requests = 0;
  double seconds = 0;
  double cpu = 0;    ///< seconds of the server's processor time
  double delay = 0;  ///< seconds that server or clients had to wait for their processor
};

/// Lets the servers answer by turns, many short ones each, for `seconds` each; in the
/// order of `kinds`. Throws if a request fails. With TLS by that context, if there is one.
[[nodiscard]] std::vector<performance> compete(const std::vector<server_kind>& kinds, const pattern& p,
                                               double seconds, std::size_t processor, SSL_CTX* tls = nullptr);

/// The system calls of a request, in a run of its own.
[[nodiscard]] call_rate count_calls(const server_kind& kind, const pattern& p, double seconds,
                                    std::size_t processor, SSL_CTX* tls = nullptr);

}  // namespace halfopen::bench

#endif
