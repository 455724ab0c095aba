#ifndef HALFOPEN_SRC_TRACE_SEQUENCE_HPP
#define HALFOPEN_SRC_TRACE_SEQUENCE_HPP

#include <cstdint>

namespace halfopen::trace {

/// Of sequence numbers, which wrap (RFC 9293 section 3.4). Thread-safe.
[[nodiscard]] inline bool at_or_before(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(b - a) >= 0;
}

}  // namespace halfopen::trace

#endif
