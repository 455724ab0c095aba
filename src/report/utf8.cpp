// Widths without the locale.
//
// wcwidth(3) would do, but only after setlocale(3): a program started with
// LANG=C, as in most containers, would count every "é" as an error, and a
// library that sets the locale changes its caller's printf. ICU is 30 MB for a
// question that a few ranges answer. The ranges are those of Unicode 15's
// EastAsianWidth.txt (W and F) and of its general categories Mn, Me and Cf, kept
// to the blocks that are in use; a character missing here makes a column ragged
// and nothing worse.

#include "report/utf8.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace halfopen::report {
namespace {

constexpr char32_t replacement = 0xFFFD;

struct range {
  char32_t first;
  char32_t last;
};

constexpr std::array zero_width{
    range{0x0300, 0x036F}, range{0x0483, 0x0489},   range{0x0591, 0x05BD}, range{0x0610, 0x061A},
    range{0x064B, 0x065F}, range{0x093A, 0x093C},   range{0x0941, 0x0948}, range{0x0E34, 0x0E3A},
    range{0x1AB0, 0x1AFF}, range{0x1DC0, 0x1DFF},   range{0x200B, 0x200F}, range{0x202A, 0x202E},
    range{0x2060, 0x2064}, range{0x20D0, 0x20FF},   range{0xFE00, 0xFE0F}, range{0xFE20, 0xFE2F},
    range{0xFEFF, 0xFEFF}, range{0xE0100, 0xE01EF},
};

constexpr std::array double_width{
    range{0x1100, 0x115F},   range{0x231A, 0x231B},   range{0x23E9, 0x23EC},   range{0x23F0, 0x23F0},
    range{0x23F3, 0x23F3},   range{0x2614, 0x2615},   range{0x267F, 0x267F},   range{0x26A1, 0x26A1},
    range{0x2705, 0x2705},   range{0x274C, 0x274C},   range{0x2753, 0x2755},   range{0x2757, 0x2757},
    range{0x2B50, 0x2B50},   range{0x2E80, 0x303E},   range{0x3041, 0x33FF},   range{0x3400, 0x4DBF},
    range{0x4E00, 0xA4CF},   range{0xA960, 0xA97F},   range{0xAC00, 0xD7A3},   range{0xF900, 0xFAFF},
    range{0xFE30, 0xFE6F},   range{0xFF00, 0xFF60},   range{0xFFE0, 0xFFE6},   range{0x1F300, 0x1F64F},
    range{0x1F680, 0x1F6FF}, range{0x1F900, 0x1F9FF}, range{0x1FA70, 0x1FAFF}, range{0x20000, 0x3FFFD},
};

bool in_ranges(char32_t c, std::span<const range> sorted) noexcept {
  const auto above = std::ranges::upper_bound(sorted, c, {}, &range::first);
  return above != sorted.begin() && c <= std::prev(above)->last;
}

bool is_control(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

struct sequence_form {
  std::size_t bytes;
  char32_t lead_bits;
  char32_t smallest;  // below it the sequence is overlong
};

sequence_form form_of(unsigned char lead) noexcept {
  if (lead < 0x80) return {1, lead, 0};
  if (lead >= 0xC2 && lead <= 0xDF) return {2, lead & 0x1FU, 0x80};
  if (lead >= 0xE0 && lead <= 0xEF) return {3, lead & 0x0FU, 0x800};
  if (lead >= 0xF0 && lead <= 0xF4) return {4, lead & 0x07U, 0x10000};
  return {0, 0, 0};
}

void append(std::string& to, char32_t c) {
  const auto put = [&to](char32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      put(0xE0 | (c >> 12));
    } else {
      put(0xF0 | (c >> 18));
      put(0x80 | ((c >> 12) & 0x3F));
    }
    put(0x80 | ((c >> 6) & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

}  // namespace

char32_t take_code_point(std::string_view& text) noexcept {
  const sequence_form form = form_of(static_cast<unsigned char>(text.front()));
  char32_t c = form.lead_bits;
  bool good = form.bytes != 0 && form.bytes <= text.size();
  for (std::size_t i = 1; good && i < form.bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    good = (byte & 0xC0) == 0x80;
    c = (c << 6) | (byte & 0x3FU);
  }
  const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
  good = good && c >= form.smallest && c <= 0x10FFFF && !surrogate;
  text.remove_prefix(good ? form.bytes : 1);
  return good ? c : replacement;
}

std::size_t width_of(char32_t c) noexcept {
  if (is_control(c) || in_ranges(c, zero_width)) return 0;
  return in_ranges(c, double_width) ? 2 : 1;
}

std::size_t display_width(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) columns += width_of(take_code_point(text));
  return columns;
}

std::string_view prefix_of_width(std::string_view text, std::size_t width) noexcept {
  std::string_view rest = text;
  std::size_t columns = 0;
  while (!rest.empty()) {
    std::string_view after = rest;
    columns += width_of(take_code_point(after));
    if (columns > width) break;
    rest = after;
  }
  return text.substr(0, text.size() - rest.size());
}

std::string clip(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string{text};
  if (width == 0) return {};
  return std::string{prefix_of_width(text, width - 1)} + "…";
}

std::string clean(std::string_view text, newlines lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    if (c == U'\n')
      out.push_back(lines == newlines::kept ? '\n' : ' ');
    else if (c == U'\t')
      out.push_back(' ');
    else if (c != U'\r')
      append(out, is_control(c) ? replacement : c);
  }
  return out;
}

}  // namespace halfopen::report
