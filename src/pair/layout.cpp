// One machine plays another: what a structure of two longs looks like in the memory
// of a machine of the other byte order, of another size of long, or whose compiler
// leaves room between the members. The C standard promises none of the three (C23
// 6.2.6.1, 6.7.3.2p17), and the ABIs differ: long has 4 bytes in ILP32 and LLP64, 8
// in LP64; an std::int64_t in a structure starts at a multiple of 4 on i386 and of 8 on
// most others (System V ABI, Intel386 supplement, against AAPCS32).
//
// The bytes are all that the other side can see, so this shows the same as the program
// compiled for that machine, and needs neither a cross compiler nor qemu. That it is the
// same is tested on such machines (docs/architectures.md): a machine that is asked for its
// own layout gives its memory, not an imitation.

#include "pair/layout.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>

#include "halfopen/wire/binary.hpp"
#include "halfopen/wire/text.hpp"

namespace halfopen::pair {
namespace {

std::size_t slot(const layout& machine) noexcept {
  return machine.long_size > machine.alignment ? machine.long_size : machine.alignment;
}

// How far the byte of weight 256^i is from the start of the long.
std::size_t place(const layout& machine, std::size_t i) noexcept {
  return machine.big_endian ? machine.long_size - 1 - i : i;
}

void put(const layout& machine, image& bytes, std::size_t at, std::int64_t value) noexcept {
  for (std::size_t i = 0; i < machine.long_size; ++i)
    bytes[at + place(machine, i)] =
        static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
}

// A 4-byte long is sign-extended, as an assignment of an int32_t would do.
std::int64_t extend(const layout& machine, std::uint64_t value) noexcept {
  return machine.long_size == 4 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value))
                                : static_cast<std::int64_t>(value);
}

std::int64_t get(const layout& machine, const image& bytes, std::size_t at) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < machine.long_size; ++i)
    value |= static_cast<std::uint64_t>(bytes[at + place(machine, i)]) << (8 * i);
  return extend(machine, value);
}

// In this machine's memory, as its compiler lays them out.

struct native_longs {
  long a;
  long b;
};

struct native_record {
  char operation;
  std::int64_t a;
  std::int64_t b;
};
static_assert(sizeof(native_longs) <= sizeof(image) && sizeof(native_record) <= sizeof(image));

template <class T>
image memory_of(const T& value) noexcept {
  image bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <class T>
T from_memory(const image& bytes) noexcept {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

native_longs to_native(two_longs values) noexcept {
  return {static_cast<long>(values.a), static_cast<long>(values.b)};
}

// Its padding, which nobody writes to, is 0, so that nothing else of the memory is told.
native_record record_of(two_longs values) noexcept {
  native_record r;
  std::memset(&r, 0, sizeof r);
  r.operation = '+';
  r.a = values.a;
  r.b = values.b;
  return r;
}

// The structure as words of hexadecimal digits, a member each; padding, which follows a member, as dots.
struct member {
  std::size_t offset;
  std::size_t size;
};

std::string in_words(const image& bytes, std::span<const member> members, std::size_t whole) {
  std::string text;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const std::size_t end = m + 1 < members.size() ? members[m + 1].offset : whole;
    if (m > 0) text += ' ';
    for (std::size_t i = members[m].offset; i < end; ++i)
      text += i < members[m].offset + members[m].size ? fmt::format("{:02x}", bytes[i]) : "..";
  }
  return text;
}

std::string in_hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

layout native_layout() noexcept {
  return {std::endian::native == std::endian::big, sizeof(long), alignof(long)};
}

std::optional<layout> parse_layout(std::string_view name) noexcept {
  if (name == "native") return native_layout();
  constexpr std::string_view padded = "-padded";
  const bool pad = name.ends_with(padded);
  if (pad) name.remove_suffix(padded.size());
  if (name.size() != 4) return std::nullopt;
  const std::string_view order = name.substr(0, 2);
  const std::string_view width = name.substr(2);
  if ((order != "le" && order != "be") || (width != "32" && width != "64")) return std::nullopt;
  const std::size_t long_size = width == "32" ? 4 : 8;
  return layout{order == "be", long_size, pad ? 2 * long_size : long_size};
}

std::size_t size_of_struct(const layout& machine) noexcept {
  return 2 * slot(machine);
}

image store(const layout& machine, two_longs values) noexcept {
  if (machine == native_layout()) return memory_of(to_native(values));
  image bytes{};
  put(machine, bytes, 0, values.a);
  put(machine, bytes, slot(machine), values.b);
  return bytes;
}

two_longs load(const layout& machine, const image& bytes) noexcept {
  if (machine == native_layout()) {
    const auto native = from_memory<native_longs>(bytes);
    return {native.a, native.b};
  }
  return {get(machine, bytes, 0), get(machine, bytes, slot(machine))};
}

image store_long(const layout& machine, std::int64_t value) noexcept {
  if (machine == native_layout()) return memory_of(static_cast<long>(value));
  image bytes{};
  put(machine, bytes, 0, value);
  return bytes;
}

std::int64_t load_long(const layout& machine, const image& bytes) noexcept {
  if (machine == native_layout()) return from_memory<long>(bytes);
  return get(machine, bytes, 0);
}

std::int64_t add_on(const layout& machine, two_longs values) noexcept {
  // In unsigned arithmetic, where wrapping is defined.
  return extend(machine, static_cast<std::uint64_t>(values.a) + static_cast<std::uint64_t>(values.b));
}

std::size_t request_size(format how, const layout& machine) noexcept {
  return how == format::record ? sizeof(native_record) : size_of_struct(machine);
}

image store_request(format how, const layout& machine, two_longs values) noexcept {
  return how == format::record ? memory_of(record_of(values)) : store(machine, values);
}

two_longs load_request(format how, const layout& machine, const image& bytes) noexcept {
  if (how != format::record) return load(machine, bytes);
  const auto r = from_memory<native_record>(bytes);
  return {r.a, r.b};
}

std::size_t reply_size(format how, const layout& machine) noexcept {
  return how == format::record ? sizeof(std::int64_t) : machine.long_size;
}

image store_sum(format how, const layout& machine, two_longs values) noexcept {
  constexpr layout wide{.big_endian = false, .long_size = 8, .alignment = 8};  // of which the size counts
  return how == format::record ? memory_of(add_on(wide, values))
                               : store_long(machine, add_on(machine, values));
}

std::int64_t load_sum(format how, const layout& machine, const image& bytes) noexcept {
  return how == format::record ? from_memory<std::int64_t>(bytes) : load_long(machine, bytes);
}

std::string bytes_here(long a, long b) {
  constexpr std::array longs{member{offsetof(native_longs, a), sizeof(long)},
                             member{offsetof(native_longs, b), sizeof(long)}};
  constexpr std::array record{member{offsetof(native_record, operation), 1},
                              member{offsetof(native_record, a), sizeof(std::int64_t)},
                              member{offsetof(native_record, b), sizeof(std::int64_t)}};
  const layout here = native_layout();
  const wire::sum_request request{a, b};
  return fmt::format("long {}\norder {}-endian\nraw {}\nrecord {}\ntext {}\nbinary {}\n", here.long_size,
                     here.big_endian ? "big" : "little",
                     in_words(store_request(format::raw, here, {a, b}), longs, sizeof(native_longs)),
                     in_words(store_request(format::record, here, {a, b}), record, sizeof(native_record)),
                     in_hex(wire::text::encode(request)), in_hex(wire::binary::encode(request)));
}

}  // namespace halfopen::pair
