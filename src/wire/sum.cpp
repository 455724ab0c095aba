// What the two formats of the sum protocol share: the sum itself, and the words
// for what can be wrong.

#include "halfopen/wire/sum.hpp"

namespace halfopen::wire {

sum_reply add(sum_request numbers) noexcept {
  std::int64_t sum = 0;
  // Signed overflow is undefined in C++; the builtin of g++ and clang reports it.
  if (__builtin_add_overflow(numbers.first, numbers.second, &sum))
    return std::unexpected(sum_error::overflow);
  return sum;
}

bool ends_connection(sum_error e) noexcept {
  return e == sum_error::malformed || e == sum_error::too_long;
}

std::string_view to_string(sum_error e) noexcept {
  switch (e) {
    case sum_error::overflow:
      return "overflow";
    case sum_error::out_of_range:
      return "out_of_range";
    case sum_error::malformed:
      return "malformed";
    case sum_error::too_long:
      return "too_long";
  }
  return "?";
}

std::optional<sum_error> parse_sum_error(std::string_view name) noexcept {
  for (const sum_error e : all_sum_errors)
    if (to_string(e) == name) return e;
  return std::nullopt;
}

std::string_view describe(decode_error e) noexcept {
  switch (e) {
    case decode_error::too_long:
      return "a message longer than the limit";
    case decode_error::nul_byte:
      return "a NUL byte in a text line";
    case decode_error::not_a_number:
      return "a text line that is not the integers expected";
    case decode_error::out_of_range:
      return "an integer that does not fit in 64 bits";
    case decode_error::bad_length:
      return "a length that does not fit the frame's type";
    case decode_error::bad_magic:
      return "a frame without the magic byte";
    case decode_error::bad_version:
      return "a frame of an unknown version";
    case decode_error::bad_type:
      return "a frame of an unexpected type";
    case decode_error::bad_code:
      return "an unknown error code";
  }
  return "?";
}

sum_error answer_to(decode_error e) noexcept {
  switch (e) {
    case decode_error::too_long:
      return sum_error::too_long;
    case decode_error::out_of_range:
      return sum_error::out_of_range;
    default:
      return sum_error::malformed;
  }
}

}  // namespace halfopen::wire
