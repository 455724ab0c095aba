#ifndef HALFOPEN_REPORT_WRAP_HPP
#define HALFOPEN_REPORT_WRAP_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace halfopen::report {

/// `text` in lines of at most `width` columns (at least 1), cut at blanks; a
/// word longer than a line is cut where the line ends. '\n' always ends a line,
/// and blanks that begin a line of the text stay as its indentation.
/// At least one line, which may be empty. The text must be clean().
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);

/// Columns of the longest word.
[[nodiscard]] std::size_t longest_word(std::string_view text) noexcept;

}  // namespace halfopen::report

#endif
