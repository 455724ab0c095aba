#ifndef HALFOPEN_WIRE_BINARY_HPP
#define HALFOPEN_WIRE_BINARY_HPP

/// \file
/// The binary format: length-prefixed frames in which every byte is defined, and
/// no structure of the compiler's is ever copied. Specified in docs/wire-format.md.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "halfopen/wire/byte_queue.hpp"
#include "halfopen/wire/sum.hpp"

namespace halfopen::wire::binary {

inline constexpr std::uint8_t magic = 0xF5;  ///< never part of UTF-8 (RFC 3629 section 1): no text starts so
inline constexpr std::uint8_t version = 1;

/// The largest value of a length field that a framer accepts unless told otherwise.
/// Version 1 needs 19; without a limit, four bytes could ask for 4 GiB of memory.
inline constexpr std::uint32_t default_limit = 64;

enum class frame_type : std::uint8_t { request = 1, sum = 2, error = 3 };

struct frame {
  frame_type type{};
  std::string_view payload;  ///< of the size that the type says
};

/// Cuts a stream of bytes into frames, however the bytes were cut into segments.
/// The rules of use are those of text::framer. A wrong field is an error as soon as
/// its last byte is here, so a peer that speaks another protocol is told at once.
class framer {
 public:
  explicit framer(std::uint32_t limit = default_limit) : limit_(limit) {}

  void feed(std::string_view bytes) { held_.append(bytes); }

  /// The next whole frame, its payload valid until the next feed(); nothing if none
  /// is whole yet; too_long, bad_length, bad_magic, bad_version or bad_type.
  [[nodiscard]] std::expected<std::optional<frame>, decode_error> next();

  /// A frame has begun and is not whole.
  [[nodiscard]] bool mid_message() const noexcept { return !held_.empty(); }

 private:
  byte_queue held_;
  std::uint32_t limit_;
  std::optional<decode_error> failed_;
};

/// bad_type if the frame is of another type.
[[nodiscard]] std::expected<sum_request, decode_error> decode_request(const frame& f) noexcept;
[[nodiscard]] std::expected<sum_reply, decode_error> decode_reply(const frame& f) noexcept;

/// A whole frame.
[[nodiscard]] std::string encode(sum_request request);
[[nodiscard]] std::string encode(const sum_reply& reply);

}  // namespace halfopen::wire::binary

#endif
