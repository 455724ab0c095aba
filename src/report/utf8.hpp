#ifndef HALFOPEN_REPORT_UTF8_HPP
#define HALFOPEN_REPORT_UTF8_HPP

/// Text as a terminal and Wireshark show it: code points, their widths in
/// columns, and nothing in it that could move the cursor.
///
/// All functions take any bytes: what is not UTF-8 counts as U+FFFD, a byte at
/// a time. Thread-safe; independent of the locale.

#include <cstddef>
#include <string>
#include <string_view>

namespace halfopen::report {

/// Takes the first code point off `text`, which must not be empty; U+FFFD for
/// a byte that begins no well-formed sequence.
[[nodiscard]] char32_t take_code_point(std::string_view& text) noexcept;

/// Columns of a terminal that one code point takes: 0, 1 or 2.
[[nodiscard]] std::size_t width_of(char32_t c) noexcept;

/// Columns that the text takes, as if all of it stood on one line.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

/// The longest beginning of `text` that takes at most `width` columns and ends
/// between code points (zero-width ones stay with what they belong to).
[[nodiscard]] std::string_view prefix_of_width(std::string_view text, std::size_t width) noexcept;

/// `text` if it takes at most `width` columns, else its beginning and "…".
[[nodiscard]] std::string clip(std::string_view text, std::size_t width);

enum class newlines : bool { to_spaces, kept };

/// Well-formed UTF-8 without control characters: tabs (and, unless kept,
/// newlines) become spaces, carriage returns vanish, any other control
/// character and every malformed byte becomes U+FFFD.
[[nodiscard]] std::string clean(std::string_view text, newlines lines = newlines::to_spaces);

}  // namespace halfopen::report

#endif
