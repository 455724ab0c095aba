// The questions that every program asks its terminal, in one place so that all
// verbs answer alike. Neither terminfo nor ncurses: the sequences used here
// (ECMA-48 SGR and EL) are understood by every terminal since the VT100.

#include "report/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>

namespace halfopen::report {
namespace {

std::string_view environment(const char* name) noexcept {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

}  // namespace

bool is_terminal(int fd) noexcept {
  return ::isatty(fd) == 1;
}

std::size_t terminal_width(int fd) noexcept {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string_view columns = environment("COLUMNS");
  std::size_t width = 0;
  const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  const bool whole = error == std::errc{} && end == columns.data() + columns.size();
  return whole && width > 0 ? width : 80;
}

bool can_rewrite(int fd) noexcept {
  const std::string_view kind = environment("TERM");
  return is_terminal(fd) && !kind.empty() && kind != "dumb";
}

bool wants_colour(int fd) noexcept {
  return can_rewrite(fd) && environment("NO_COLOR").empty();
}

std::string painted(std::string_view text, colour c) {
  constexpr std::array codes{0, 1, 2, 31, 32, 33, 34, 35, 36};
  if (c == colour::none || text.empty()) return std::string{text};
  return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(c)], text);
}

}  // namespace halfopen::report
