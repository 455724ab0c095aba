#ifndef HALFOPEN_PAIR_LAYOUT_HPP
#define HALFOPEN_PAIR_LAYOUT_HPP

/// The bytes that `struct { long a; long b; }` has in the memory of a declared machine.

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

}  // namespace halfopen::pair

#endif
