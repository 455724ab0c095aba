// Laying out a table: how wide each column becomes, and what to do when the
// window is too narrow.
//
// Three tries, the first that fits wins: every column as wide as its widest
// cell; columns narrower, but no word of any cell cut; columns at their minima,
// words cut. What is left above the minima is shared out by the columns'
// weights, a column that needs less than its share leaving the rest to the
// others (water filling, as CSS's flexible boxes do). Below 100 columns a
// wrapped table of six or more columns is a staircase of one-word lines, which
// is why records take over there.

#include "report/table.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "report/utf8.hpp"
#include "report/wrap.hpp"

namespace halfopen::report {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest_record_text = 16;

std::size_t total(const std::vector<std::size_t>& widths) {
  const std::size_t gaps = widths.empty() ? 0 : gap * (widths.size() - 1);
  return std::accumulate(widths.begin(), widths.end(), gaps);
}

std::size_t widest_line(std::string_view text) {
  std::size_t widest = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    widest = std::max(widest, display_width(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return widest;
}

/// Gives each column its share of `room`, up to what it wants.
void share_out(std::size_t room, const std::vector<column>& columns, const std::vector<std::size_t>& wanted,
               std::vector<std::size_t>& widths) {
  while (room > 0) {
    std::size_t weights = 0;
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (widths[i] < wanted[i]) weights += std::max(1U, columns[i].weight);
    if (weights == 0) return;
    const std::size_t to_share = room;
    for (std::size_t i = 0; i < widths.size() && room > 0; ++i) {
      if (widths[i] >= wanted[i]) continue;
      const std::size_t share =
          std::max<std::size_t>(1, to_share * std::max(1U, columns[i].weight) / weights);
      const std::size_t given = std::min({share, room, wanted[i] - widths[i]});
      widths[i] += given;
      room -= given;
    }
  }
}

/// One line of output under construction; blanks at its end are never written.
class line_builder {
 public:
  explicit line_builder(std::string& out) : out_{out} {}
  ~line_builder() { out_ += '\n'; }
  line_builder(const line_builder&) = delete;
  line_builder& operator=(const line_builder&) = delete;

  void blanks(std::size_t n) { pending_ += n; }

  void text(std::string_view piece, colour tint) {
    if (piece.empty()) return;
    out_.append(pending_, ' ');
    pending_ = 0;
    out_ += painted(piece, tint);
  }

  void aligned(std::string_view piece, colour tint, std::size_t width, alignment align) {
    const std::size_t used = display_width(piece);
    const std::size_t rest = width > used ? width - used : 0;
    if (align == alignment::right) blanks(rest);
    text(piece, tint);
    if (align == alignment::left) blanks(rest);
  }

 private:
  std::string& out_;
  std::size_t pending_ = 0;
};

/// A grid's row, each cell wrapped to its column's width.
struct wrapped_row {
  std::vector<std::vector<std::string>> lines;  // by column
  std::size_t height = 0;
};

/// The same with each cell cut to one line.
wrapped_row cut_row(const std::vector<cell>& cells, const std::vector<std::size_t>& widths) {
  wrapped_row result;
  result.height = 1;
  for (std::size_t i = 0; i < widths.size(); ++i) result.lines.push_back({clip(cells[i].text, widths[i])});
  return result;
}

wrapped_row wrap_row(const std::vector<cell>& cells, const std::vector<std::size_t>& widths) {
  wrapped_row result;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    result.lines.push_back(wrap(cells[i].text, widths[i]));
    result.height = std::max(result.height, result.lines.back().size());
  }
  return result;
}

void write_row(std::string& out, const wrapped_row& row, const std::vector<cell>& cells,
               const std::vector<column>& columns, const std::vector<std::size_t>& widths, bool colours) {
  for (std::size_t at = 0; at < row.height; ++at) {
    line_builder line{out};
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string_view piece = at < row.lines[i].size() ? row.lines[i][at] : std::string_view{};
      line.aligned(piece, colours ? cells[i].tint : colour::none, widths[i], columns[i].align);
      line.blanks(gap);
    }
  }
}

void write_rule(std::string& out, std::size_t width, bool colours) {
  std::string dashes;
  for (std::size_t i = 0; i < width; ++i) dashes += "─";
  line_builder{out}.text(dashes, colours ? colour::dim : colour::none);
}

void write_heading(std::string& out, const cell& heading, std::size_t width, bool colours) {
  for (const std::string& text : wrap(heading.text, width))
    line_builder{out}.text(text, colours ? heading.tint : colour::none);
}

}  // namespace

text_table::text_table(std::vector<column> columns) : columns_{std::move(columns)} {
  for (column& c : columns_) c.heading = clean(c.heading);
}

void text_table::add_group(std::string_view heading, colour tint) {
  entries_.emplace_back(group{cell{clean(heading), tint}});
}

void text_table::add_row(std::vector<cell> cells) {
  cells.resize(columns_.size(), cell{""});
  for (cell& c : cells) c.text = clean(c.text, list_ ? newlines::to_spaces : newlines::kept);
  entries_.emplace_back(std::move(cells));
}

std::vector<std::size_t> text_table::widths_for(std::size_t (*measure)(std::string_view),
                                                bool by_cells) const {
  std::vector<std::size_t> widths;
  for (const column& c : columns_) widths.push_back(std::max(c.min_width, measure(c.heading)));
  for (const entry& e : entries_) {
    const row* const cells = std::get_if<row>(&e);
    if (!by_cells || cells == nullptr) continue;
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], std::min(measure((*cells)[i].text), columns_[i].max_width));
  }
  return widths;
}

std::optional<std::vector<std::size_t>> text_table::fit(std::size_t width) const {
  const std::vector<std::size_t> natural = widths_for(widest_line, true);
  if (total(natural) <= width) return natural;
  if (list_) {
    std::vector<std::size_t> widths;
    for (const column& c : columns_) widths.push_back(std::max(c.min_width, display_width(c.heading)));
    if (total(widths) < width) share_out(width - total(widths), columns_, natural, widths);
    return widths;
  }
  if (width < narrow_below) return std::nullopt;
  for (const bool words_whole : {true, false}) {
    std::vector<std::size_t> widths = widths_for(longest_word, words_whole);
    if (total(widths) > width) continue;
    share_out(width - total(widths), columns_, natural, widths);
    return widths;
  }
  return std::nullopt;
}

std::string text_table::render(const canvas& where) const {
  const auto widths = fit(where.width);
  return widths ? render_grid(*widths, where.colours) : render_records(where);
}

std::string text_table::render_grid(const std::vector<std::size_t>& widths, bool colours) const {
  std::vector<wrapped_row> wrapped;
  bool airy = false;  // rows of several lines run into each other without a blank line
  for (const entry& e : entries_)
    if (const row* const cells = std::get_if<row>(&e)) {
      wrapped.push_back(list_ ? cut_row(*cells, widths) : wrap_row(*cells, widths));
      airy = airy || (wrapped.back().height > 1 && !compact_);
    }

  row headings;
  for (const column& c : columns_) headings.emplace_back(c.heading, colour::bold);
  std::string out;
  write_row(out, list_ ? cut_row(headings, widths) : wrap_row(headings, widths), headings, columns_, widths,
            colours);
  if (!list_) write_rule(out, total(widths), colours);

  auto next = wrapped.begin();
  bool at_top = true;  // right below a rule or a group's heading
  for (const entry& e : entries_) {
    if (const row* const cells = std::get_if<row>(&e)) {
      if (airy && !at_top) out += '\n';
      write_row(out, *next++, *cells, columns_, widths, colours);
      at_top = false;
    } else {
      if (&e != &entries_.front() && !list_) write_rule(out, total(widths), colours);
      write_heading(out, std::get<group>(e).heading, total(widths), colours);
      at_top = !airy;
    }
  }
  return out;
}

std::string text_table::render_records(const canvas& where) const {
  std::size_t label = 0;
  for (const column& c : columns_) label = std::max(label, display_width(c.heading));
  const std::size_t room = where.width > label + gap ? where.width - label - gap : 0;
  const std::size_t text_width = std::max(room, narrowest_record_text);
  std::string out;
  bool below_heading = true;
  for (const entry& e : entries_) {
    if (!below_heading) out += '\n';
    below_heading = std::holds_alternative<group>(e);
    if (const group* const g = std::get_if<group>(&e)) {
      write_heading(out, g->heading, where.width, where.colours);
      write_rule(out, where.width, where.colours);
      continue;
    }
    const row& cells = std::get<row>(e);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (cells[i].text.empty()) continue;
      std::string_view heading = columns_[i].heading;
      for (const std::string& text : wrap(cells[i].text, text_width)) {
        line_builder line{out};
        line.aligned(heading, where.colours ? colour::dim : colour::none, label, alignment::left);
        line.blanks(gap);
        line.text(text, where.colours ? cells[i].tint : colour::none);
        heading = {};
      }
    }
  }
  return out;
}

}  // namespace halfopen::report
