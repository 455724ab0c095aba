#ifndef HALFOPEN_SRC_TRACE_FOUR_TUPLE_HPP
#define HALFOPEN_SRC_TRACE_FOUR_TUPLE_HPP

/// The hash of a connection's addresses and ports. Private to this folder.

#include <chrono>
#include <cstdint>

#include "halfopen/trace/address.hpp"

namespace halfopen::trace {

/// Every bit of the result depends on every bit of `x` (the finaliser of SplitMix64).
[[nodiscard]] constexpr std::uint64_t spread_bits(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

/// A capture may be written by somebody who would like all its connections to fall into one slot of a
/// table. The salt is not a secret worth a system call: it has to differ from one run to the next.
inline const std::uint64_t hash_salt =
    spread_bits(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));

[[nodiscard]] inline std::uint64_t hash_of(const endpoint& e) noexcept {
  const auto& words = e.address.words();
  const std::uint64_t port = std::uint64_t{e.port} << 40U;  // beside an IPv4 address, not upon it
  if (!e.address.is_v6()) return spread_bits((words[0] ^ hash_salt) + port);
  return spread_bits(spread_bits(words[0] ^ hash_salt) + words[1] + port);
}
/// The same for both directions. Of one process: another has another salt.
[[nodiscard]] inline std::uint64_t hash_of(const endpoint& a, const endpoint& b) noexcept {
  return spread_bits(hash_of(a) + hash_of(b));
}

}  // namespace halfopen::trace

#endif
