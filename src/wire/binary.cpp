// A binary format that is defined bit by bit: the second cure for machines that
// disagree. XDR (RFC 4506) and the RPC packages on top of it are the classic
// example; this one is small enough to fit on a page, docs/wire-format.md.
//
// Integers are put together byte by byte with shifts, so the code is the same on a
// machine of either byte order, and g++ makes one load and one bswap of it. A
// packed structure and be64toh would do the same on today's compilers, but copy a
// structure whose layout is not the language's to promise.

#include "halfopen/wire/binary.hpp"

#include <type_traits>

namespace halfopen::wire::binary {
namespace {

constexpr std::size_t prefix_size = 4;  // the length field, which does not count itself
constexpr std::size_t header_size = 3;  // magic, version, type

template <class Unsigned>
void put(std::string& out, Unsigned value) {
  static_assert(std::is_unsigned_v<Unsigned>);
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift)));
}

template <class Unsigned>
Unsigned get(std::string_view bytes, std::size_t at) noexcept {
  static_assert(std::is_unsigned_v<Unsigned>);
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<Unsigned>(value << 8 | static_cast<unsigned char>(bytes[at + i]));
  return value;
}

// Two's complement is what C++20 and later guarantee for a signed integer.
std::uint64_t bits(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(value);
}
std::int64_t number(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value);
}

std::string start_frame(frame_type type, std::size_t payload_size) {
  std::string out;
  out.reserve(prefix_size + header_size + payload_size);
  put(out, static_cast<std::uint32_t>(header_size + payload_size));
  put(out, magic);
  put(out, version);
  put(out, static_cast<std::uint8_t>(type));
  return out;
}

std::optional<std::size_t> payload_size_of(std::uint8_t type) noexcept {
  switch (static_cast<frame_type>(type)) {
    case frame_type::request:
      return 16;
    case frame_type::sum:
      return 8;
    case frame_type::error:
      return 1;
  }
  return std::nullopt;
}

// What can be said of a frame of which only the beginning is here. The order is
// that of the bytes, so the answer does not depend on how many came at once.
std::optional<decode_error> check(std::string_view bytes, std::uint32_t limit) noexcept {
  if (bytes.size() < prefix_size) return std::nullopt;
  const auto length = get<std::uint32_t>(bytes, 0);
  if (length > limit) return decode_error::too_long;
  if (length < header_size) return decode_error::bad_length;
  if (bytes.size() > 4 && get<std::uint8_t>(bytes, 4) != magic) return decode_error::bad_magic;
  if (bytes.size() > 5 && get<std::uint8_t>(bytes, 5) != version) return decode_error::bad_version;
  if (bytes.size() > 6) {
    const auto payload_size = payload_size_of(get<std::uint8_t>(bytes, 6));
    if (!payload_size) return decode_error::bad_type;
    if (length != header_size + *payload_size) return decode_error::bad_length;
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::optional<frame>, decode_error> framer::next() {
  if (!failed_) failed_ = check(held_.view(), limit_);
  if (failed_) return std::unexpected(*failed_);

  const std::string_view bytes = held_.view();
  if (bytes.size() < prefix_size) return std::nullopt;
  const std::size_t whole = prefix_size + get<std::uint32_t>(bytes, 0);
  if (bytes.size() < whole) return std::nullopt;
  held_.consume(whole);
  return frame{static_cast<frame_type>(get<std::uint8_t>(bytes, 6)),
               bytes.substr(0, whole).substr(prefix_size + header_size)};
}

std::expected<sum_request, decode_error> decode_request(const frame& f) noexcept {
  if (f.type != frame_type::request) return std::unexpected(decode_error::bad_type);
  return sum_request{number(get<std::uint64_t>(f.payload, 0)), number(get<std::uint64_t>(f.payload, 8))};
}

std::expected<sum_reply, decode_error> decode_reply(const frame& f) noexcept {
  if (f.type == frame_type::sum) return sum_reply{number(get<std::uint64_t>(f.payload, 0))};
  if (f.type != frame_type::error) return std::unexpected(decode_error::bad_type);
  const auto code = get<std::uint8_t>(f.payload, 0);
  for (const sum_error e : all_sum_errors)
    if (static_cast<std::uint8_t>(e) == code) return sum_reply{std::unexpected(e)};
  return std::unexpected(decode_error::bad_code);
}

std::string encode(sum_request request) {
  std::string out = start_frame(frame_type::request, 16);
  put(out, bits(request.first));
  put(out, bits(request.second));
  return out;
}

std::string encode(const sum_reply& reply) {
  std::string out = start_frame(reply ? frame_type::sum : frame_type::error, reply ? 8 : 1);
  if (reply)
    put(out, bits(*reply));
  else
    put(out, static_cast<std::uint8_t>(reply.error()));
  return out;
}

}  // namespace halfopen::wire::binary
