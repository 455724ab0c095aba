#ifndef HALFOPEN_REPORT_TABLE_HPP
#define HALFOPEN_REPORT_TABLE_HPP

/// A table as plain text that fits its reader's window.

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "report/terminal.hpp"

namespace halfopen::report {

enum class alignment : bool { left, right };

/// A column. Its width is what its widest cell needs, but at least `min_width`
/// (and its heading's longest word) and at most `max_width`. When the columns
/// together are too wide, the room above the minima is shared out by `weight`.
struct column {
  std::string heading;
  std::size_t min_width = 4;
  std::size_t max_width = std::numeric_limits<std::size_t>::max();
  unsigned weight = 1;
  alignment align = alignment::left;
};

/// A cell's text; '\n' in it begins a new line. Other control characters are
/// made harmless, so text from a packet may be shown.
struct cell {
  std::string text;
  colour tint = colour::none;

  cell(std::string t, colour c = colour::none) : text{std::move(t)}, tint{c} {}  // NOLINT: a text is a cell
  cell(const char* t, colour c = colour::none) : text{t}, tint{c} {}             // NOLINT
};

/// What the output can take; of() asks a file descriptor.
struct canvas {
  std::size_t width = 80;
  bool colours = false;

  [[nodiscard]] static canvas of(int fd) noexcept { return {terminal_width(fd), wants_colour(fd)}; }
  [[nodiscard]] std::string tinted(std::string_view text, colour c) const {
    return colours ? painted(text, c) : std::string(text);
  }
};

/// Below so many columns a table of sentences is records.
inline constexpr std::size_t narrow_below = 100;

/// Rows of cells under headings, in groups if wanted. Cells wrap at words.
///
/// A window of less than 100 columns in which cells would have to wrap, and any
/// window too small for the columns' minima, gets records instead: one field a
/// line, "heading  text". Not thread-safe.
class text_table {
 public:
  explicit text_table(std::vector<column> columns);

  /// No blank lines between rows, even if some cells wrap: for cells of a word or two.
  void make_compact() noexcept { compact_ = true; }

  /// Each row that follows is one line, in a window of any width: cells that do not fit are cut. No rules.
  void make_list() noexcept { list_ = true; }

  /// The rows that follow stand under this line.
  void add_group(std::string_view heading, colour tint = colour::bold);

  /// Missing cells are empty; cells beyond the last column are ignored.
  void add_row(std::vector<cell> cells);

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  /// The whole table; every line ends in '\n' and has no trailing blanks.
  [[nodiscard]] std::string render(const canvas& where = {}) const;

 private:
  using row = std::vector<cell>;
  struct group {
    cell heading;
  };
  using entry = std::variant<group, row>;

  [[nodiscard]] std::vector<std::size_t> widths_for(std::size_t (*measure)(std::string_view),
                                                    bool by_cells) const;
  [[nodiscard]] std::optional<std::vector<std::size_t>> fit(std::size_t width) const;
  [[nodiscard]] std::string render_grid(const std::vector<std::size_t>& widths, bool colours) const;
  [[nodiscard]] std::string render_records(const canvas& where) const;

  std::vector<column> columns_;
  std::vector<entry> entries_;
  bool compact_ = false;
  bool list_ = false;
};

}  // namespace halfopen::report

#endif
