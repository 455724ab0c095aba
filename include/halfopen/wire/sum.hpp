#ifndef HALFOPEN_WIRE_SUM_HPP
#define HALFOPEN_WIRE_SUM_HPP

/// \file
/// The sum protocol: two signed 64-bit integers in, their sum out, or the reason
/// why there is none. This header has what the two formats, text.hpp and
/// binary.hpp, have in common; docs/wire-format.md specifies the bytes.
///
/// Everything here is a value; every function is thread-safe and never throws.

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace halfopen::wire {

struct sum_request {
  std::int64_t first = 0;
  std::int64_t second = 0;
  friend bool operator==(const sum_request&, const sum_request&) = default;
};

/// Why a request has no sum. The numbers are those on the wire and never change.
enum class sum_error : std::uint8_t {
  overflow = 1,      ///< the sum does not fit in 64 bits
  out_of_range = 2,  ///< a number of the request does not fit in 64 bits (text only)
  malformed = 3,     ///< the request is not in the agreed format; the server closes after it
  too_long = 4,      ///< the request is longer than the limit; the server closes after it
};

inline constexpr std::array all_sum_errors{sum_error::overflow, sum_error::out_of_range, sum_error::malformed,
                                           sum_error::too_long};

using sum_reply = std::expected<std::int64_t, sum_error>;

[[nodiscard]] sum_reply add(sum_request numbers) noexcept;

/// Whether the server closes the connection after this error: it no longer knows
/// where the next request begins, or does not believe that it is one.
[[nodiscard]] bool ends_connection(sum_error e) noexcept;

/// The enumerator's own name, such as "overflow"; "?" for a value out of range.
[[nodiscard]] std::string_view to_string(sum_error e) noexcept;
[[nodiscard]] std::optional<sum_error> parse_sum_error(std::string_view name) noexcept;

/// What is wrong with bytes that were received.
enum class decode_error : std::uint8_t {
  too_long,      ///< no end of message within the limit
  nul_byte,      ///< a NUL in a text line
  not_a_number,  ///< a field of a text line is no decimal integer, or there are not two
  out_of_range,  ///< a decimal integer that does not fit in 64 bits
  bad_length,    ///< a length field that does not fit the frame's type
  bad_magic,     ///< a frame that does not start with the magic byte
  bad_version,   ///< a version that this program does not speak
  bad_type,      ///< an unknown type of frame, or one that this side does not expect
  bad_code,      ///< an unknown error code in a reply
};

/// One plain sentence fragment, such as "a NUL byte in a text line".
[[nodiscard]] std::string_view describe(decode_error e) noexcept;

/// What a server answers to a request that cannot be decoded.
[[nodiscard]] sum_error answer_to(decode_error e) noexcept;

}  // namespace halfopen::wire

#endif
