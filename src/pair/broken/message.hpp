#ifndef HALFOPEN_PAIR_BROKEN_MESSAGE_HPP
#define HALFOPEN_PAIR_BROKEN_MESSAGE_HPP

/// \file
/// The protocol of the broken programs: a message is four bytes of length, the most
/// significant first, and as many bytes of text.

#include <cstdint>
#include <string>
#include <string_view>

namespace halfopen::broken {

inline constexpr std::size_t header_size = 4;
inline constexpr std::uint32_t longest_text = 4096;

[[nodiscard]] inline std::string header_of(std::string_view text) {
  std::string header;
  for (unsigned shift = 32; shift > 0;) header += static_cast<char>(text.size() >> (shift -= 8) & 0xffU);
  return header;
}

/// Of the first four bytes; there must be as many.
[[nodiscard]] inline std::uint32_t length_in(std::string_view header) {
  std::uint32_t length = 0;
  for (const char byte : header.substr(0, header_size))
    length = length << 8U | static_cast<unsigned char>(byte);
  return length;
}

}  // namespace halfopen::broken

#endif
