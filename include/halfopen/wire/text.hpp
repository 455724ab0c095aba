#ifndef HALFOPEN_WIRE_TEXT_HPP
#define HALFOPEN_WIRE_TEXT_HPP

/// \file
/// The text format: a message is a line that ends in LF. "1 2\n" asks, "3\n" or
/// "error overflow\n" answers. Specified in docs/wire-format.md.

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "halfopen/wire/byte_queue.hpp"
#include "halfopen/wire/sum.hpp"

namespace halfopen::wire::text {

/// Cuts a stream of bytes into lines, however the bytes were cut into segments:
/// the messages and errors that come out depend on the bytes alone.
///
/// Use: feed() what was read, then next() until it gives nothing. An error is
/// final, since after it nobody knows where the next line starts. A value, not
/// synchronised; holds at most the limit plus what one feed() brought.
class framer {
 public:
  /// A line may have up to `limit` bytes before its LF.
  explicit framer(std::size_t limit) : limit_(limit) {}

  void feed(std::string_view bytes) { held_.append(bytes); }

  /// The next whole line without its LF, valid until the next feed(); nothing if
  /// no line is whole yet; too_long or nul_byte as soon as that is certain.
  [[nodiscard]] std::expected<std::optional<std::string_view>, decode_error> next();

  /// Bytes that are not yet part of a line taken out: a message has begun.
  [[nodiscard]] bool mid_message() const noexcept { return !held_.empty(); }

  /// Those bytes.
  [[nodiscard]] std::string_view rest() const noexcept { return held_.view(); }

 private:
  byte_queue held_;
  std::size_t limit_;
  std::size_t scanned_ = 0;  // of held_, without an LF: makes long lines linear, not quadratic
  std::optional<decode_error> failed_;
};

/// Two integers with exactly one space between: each an optional '-' and at least
/// one digit; no '+', no other white space, no CR.
[[nodiscard]] std::expected<sum_request, decode_error> decode_request(std::string_view line) noexcept;

/// One integer, or "error " and the name of a sum_error.
[[nodiscard]] std::expected<sum_reply, decode_error> decode_reply(std::string_view line) noexcept;

/// With the LF.
[[nodiscard]] std::string encode(sum_request request);
[[nodiscard]] std::string encode(const sum_reply& reply);

}  // namespace halfopen::wire::text

#endif
