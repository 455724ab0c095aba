#ifndef HALFOPEN_REPORT_TERMINAL_HPP
#define HALFOPEN_REPORT_TERMINAL_HPP

/// What may be written to a file descriptor: colours, a live line, how wide.

#include <cstddef>
#include <string>
#include <string_view>

namespace halfopen::report {

[[nodiscard]] bool is_terminal(int fd) noexcept;

/// Columns of the terminal; of $COLUMNS where fd is none or does not know; else 80.
[[nodiscard]] std::size_t terminal_width(int fd) noexcept;

/// True if fd is a terminal on which a line can be written over: TERM says which, and is not "dumb".
[[nodiscard]] bool can_rewrite(int fd) noexcept;

/// True if escape sequences may be written there: it can rewrite, and the user did not set NO_COLOR
/// (https://no-color.org).
[[nodiscard]] bool wants_colour(int fd) noexcept;

/// What every terminal can show.
enum class colour : unsigned char { none, bold, dim, red, green, yellow, blue, magenta, cyan };

/// `text` in that colour, by ANSI escape sequences; as it is for colour::none.
[[nodiscard]] std::string painted(std::string_view text, colour c);

}  // namespace halfopen::report

#endif
