// Greedy line filling. Knuth and Plass's total fit gives evener paragraphs, but
// a table's cells are one to three lines of facts, in which nobody sees the
// difference; greedy keeps a cell's first line stable while its end changes.

#include "report/wrap.hpp"

#include <algorithm>

#include "report/utf8.hpp"

namespace halfopen::report {
namespace {

/// Takes the text up to `stop` (and `stop` itself) off the front.
std::string_view take_until(std::string_view& text, char stop) noexcept {
  const std::size_t at = text.find(stop);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

/// Fills the lines of one paragraph.
class filler {
 public:
  filler(std::vector<std::string>& out, std::size_t width) : out_{out}, width_{width} { out_.emplace_back(); }

  void indent(std::string_view blanks) { out_.back() = blanks.substr(0, width_ - 1); }

  void add(std::string_view word) {
    const bool first = out_.back().find_first_not_of(' ') == std::string::npos;
    const std::size_t used = display_width(out_.back()) + (first ? 0 : 1);
    if (used + display_width(word) <= width_) {
      if (!first) out_.back() += ' ';
      out_.back() += word;
      return;
    }
    if (!first) out_.emplace_back();
    add_in_pieces(word);
  }

 private:
  void add_in_pieces(std::string_view word) {
    for (;;) {
      std::string_view piece = prefix_of_width(word, width_ - display_width(out_.back()));
      if (piece.empty() && out_.back().empty()) {  // a wide character in a line of one column
        std::string_view rest = word;
        [[maybe_unused]] const char32_t taken = take_code_point(rest);
        piece = word.substr(0, word.size() - rest.size());
      }
      out_.back() += piece;
      word.remove_prefix(piece.size());
      if (word.empty()) return;
      out_.emplace_back();
    }
  }

  std::vector<std::string>& out_;
  std::size_t width_;
};

}  // namespace

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  width = std::max<std::size_t>(width, 1);
  do {
    std::string_view paragraph = take_until(text, '\n');
    filler fill{lines, width};
    const std::size_t blanks = paragraph.find_first_not_of(' ');
    if (blanks == std::string_view::npos) continue;
    fill.indent(paragraph.substr(0, blanks));
    while (!paragraph.empty()) {
      const std::string_view word = take_until(paragraph, ' ');
      if (!word.empty()) fill.add(word);
    }
  } while (!text.empty());
  return lines;
}

std::size_t longest_word(std::string_view text) noexcept {
  std::size_t longest = 0;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    while (!line.empty()) longest = std::max(longest, display_width(take_until(line, ' ')));
  }
  return longest;
}

}  // namespace halfopen::report
