#ifndef HALFOPEN_PAIR_LAYOUT_HPP
#define HALFOPEN_PAIR_LAYOUT_HPP

/// The bytes that a structure has in memory: `struct { long a; long b; }` in that of a declared
/// machine, which is in fact this one's memory where this is such a machine, and
/// `struct { char operation; std::int64_t a; std::int64_t b; }` in this one's.

#include <array>
#include <cstdint>
#include <span>

#include "pair/pair.hpp"

namespace halfopen::pair {

struct two_longs {
  std::int64_t a = 0;
  std::int64_t b = 0;
};

/// Enough for the largest structure.
using image = std::array<unsigned char, 32>;

/// sizeof(struct { long a; long b; }) on that machine.
[[nodiscard]] std::size_t size_of_struct(const layout& machine) noexcept;

/// A number that does not fit in the machine's long is cut, as an assignment there would.
[[nodiscard]] image store(const layout& machine, two_longs values) noexcept;
[[nodiscard]] two_longs load(const layout& machine, const image& bytes) noexcept;

[[nodiscard]] image store_long(const layout& machine, std::int64_t value) noexcept;
[[nodiscard]] std::int64_t load_long(const layout& machine, const image& bytes) noexcept;

/// a + b as that machine's long: it wraps.
[[nodiscard]] std::int64_t add_on(const layout& machine, two_longs values) noexcept;

// The same for either structure, and for the reply, which is its number alone: a long, or an
// std::int64_t. `how` is raw or record, and record does not heed the machine.

[[nodiscard]] std::size_t request_size(format how, const layout& machine) noexcept;
[[nodiscard]] image store_request(format how, const layout& machine, two_longs values) noexcept;
[[nodiscard]] two_longs load_request(format how, const layout& machine, const image& bytes) noexcept;

[[nodiscard]] std::size_t reply_size(format how, const layout& machine) noexcept;
[[nodiscard]] image store_sum(format how, const layout& machine, two_longs values) noexcept;
[[nodiscard]] std::int64_t load_sum(format how, const layout& machine, const image& bytes) noexcept;

}  // namespace halfopen::pair

#endif
