// One machine plays another: what a structure of two longs looks like in the memory
// of a machine of the other byte order, of another size of long, or whose compiler
// leaves room between the members. The C standard promises none of the three (C23
// 6.2.6.1, 6.7.3.2p17), and the ABIs differ: long has 4 bytes in ILP32 and LLP64, 8
// in LP64.
//
// The alternative, emulating a foreign processor, would show the same bytes and need
// a cross compiler and qemu. The bytes are all that the other side can see.

#include "pair/layout.hpp"

#include <bit>

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
  image bytes{};
  put(machine, bytes, 0, values.a);
  put(machine, bytes, slot(machine), values.b);
  return bytes;
}

two_longs load(const layout& machine, const image& bytes) noexcept {
  return {get(machine, bytes, 0), get(machine, bytes, slot(machine))};
}

image store_long(const layout& machine, std::int64_t value) noexcept {
  image bytes{};
  put(machine, bytes, 0, value);
  return bytes;
}

std::int64_t load_long(const layout& machine, const image& bytes) noexcept {
  return get(machine, bytes, 0);
}

std::int64_t add_on(const layout& machine, two_longs values) noexcept {
  // In unsigned arithmetic, where wrapping is defined.
  return extend(machine, static_cast<std::uint64_t>(values.a) + static_cast<std::uint64_t>(values.b));
}

}  // namespace halfopen::pair
