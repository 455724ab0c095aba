// A ladder as SVG, by hand: a dozen kinds of elements, and no library in Debian that
// writes them would be smaller than this file. Sizes are in CSS pixels; the text is text,
// so that a browser's search finds a packet's number.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "report/ladder_rows.hpp"
#include "report/utf8.hpp"
#include "report/wrap.hpp"

namespace halfopen::report {
namespace {

using kind = ladder_arrow::kind;

constexpr int row_height = 30, line_height = 17, head_height = 44;

const char* class_of(kind k) {
  switch (k) {
    case kind::ack:
      return "ack";
    case kind::data:
      return "data";
    case kind::opening:
      return "opening";
    case kind::closing:
      return "closing";
    case kind::reset:
      return "reset";
    case kind::icmp:
      return "icmp";
  }
  return "ack";
}

class svg {
 public:
  svg(const ladder& l, const svg_layout& how)
      : compact_(how.left < 150),
        left_(how.left),
        right_(how.width - (compact_ ? 8 : 40)),
        hosts_(static_cast<int>(l.hosts.size())) {
    const std::vector<ladder_row> rows = rows_of(l);
    int height = head_height + 20;
    for (const ladder_row& row : rows) height += height_of(row);
    const char* style = how.with_style ? ladder_style() : "";
    add("<svg class=\"ladder{}\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" "
        "height=\"{}\" role=\"img\">\n<title>{}</title>\n<style>{}</style>\n",
        hosts_ > 3 ? " ladder-wide" : "", how.width, height, how.width, height, html_escaped(l.title), style);
    head(l, height);
    int y = head_height + row_height;
    for (const ladder_row& row : rows) {
      if (row.arrow != nullptr)
        arrow(*row.arrow, y);
      else if (row.mark)
        mark(*row.mark, y);
      else
        gap(row.gap, y);
      y += height_of(row);
    }
    out_ += "</svg>\n";
  }
  std::string text() && { return std::move(out_); }

 private:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
  }

  /// Nine letters where there is little room.
  [[nodiscard]] std::string time_of(std::chrono::nanoseconds at) const {
    const double s = std::chrono::duration<double>(at).count();
    if (!compact_) return fmt::format("{:.6f}", s);
    return s < 1 ? fmt::format("{:.2f} ms", 1000 * s) : fmt::format("{:.3f} s", s);
  }

  /// A mark's text may be a sentence.
  [[nodiscard]] std::vector<std::string> lines_of(const ladder_mark& m) const {
    constexpr double letter = 7;  // of 13 px, on average
    return wrap(clean(m.text), static_cast<std::size_t>(std::max(10.0, (right_ - left_ - 28) / letter)));
  }
  [[nodiscard]] int height_of(const ladder_row& row) const {
    return row.mark ? row_height + static_cast<int>(lines_of(*row.mark).size() - 1) * line_height
                    : row_height;
  }

  void head(const ladder& l, int height) {
    for (std::size_t i = 0; i < l.hosts.size(); ++i)
      add("<text class=\"ladder-host {}\" x=\"{}\" y=\"20\">{}</text>\n",
          i == 0                    ? "ladder-begin"
          : i + 1 == l.hosts.size() ? "ladder-end"
                                    : "ladder-middle",
          line_of(i), html_escaped(l.hosts[i]));
    add("<text class=\"ladder-time\" x=\"8\" y=\"20\">{}</text>\n", compact_ ? "time" : "seconds, packet");
    for (std::size_t i = 0; i < l.hosts.size(); ++i)
      add("<line class=\"ladder-host-line\" x1=\"{}\" y1=\"30\" x2=\"{}\" y2=\"{}\"/>\n", line_of(i),
          line_of(i), height - 6);
  }

  void arrow(const ladder_arrow& a, int y) {
    const bool rightward = a.from < a.to;
    const int from = line_of(a.from), far = line_of(a.to);
    const int to = a.lost ? from + (far - from) * 4 / 5 : far;
    const int back = rightward ? -9 : 9;
    add("<g class=\"ladder-{}{}\">\n", class_of(a.what), a.stressed ? " ladder-proof" : "");
    add("<text class=\"ladder-time\" x=\"8\" y=\"{}\">{}</text>\n", y + 4, time_of(a.at));
    if (a.number != 0)
      add("<text class=\"ladder-number\" x=\"{}\" y=\"{}\">{}</text>\n", left_ - (compact_ ? 5 : 12), y + 4,
          a.number);
    add("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", from, y, to, y);
    if (a.lost)
      add("<path class=\"ladder-lost\" d=\"M{} {}l12 12m0 -12l-12 12\"/>\n", to - 6, y - 6);
    else
      add("<polygon points=\"{},{} {},{} {},{}\"/>\n", to, y, to + back, y - 5, to + back, y + 5);
    add("<text class=\"ladder-label\" x=\"{}\" y=\"{}\">{}<tspan class=\"ladder-detail\"> "
        "{}</tspan></text>\n</g>\n",
        (from + far) / 2, y - 6, html_escaped(a.label), html_escaped(a.detail));
  }

  void mark(const ladder_mark& m, int y) {
    const int x = m.on ? line_of(*m.on) : (left_ + right_) / 2;
    const bool at_right = m.on && x > (left_ + right_) / 2;
    const char* anchor = at_right ? "ladder-end" : m.on ? "ladder-begin" : "ladder-middle";
    const int text_at = at_right ? x - 14 : m.on ? x + 14 : x;
    const auto lines = lines_of(m);
    const int last = y + static_cast<int>(lines.size() - 1) * line_height;
    add("<g class=\"ladder-mark{}\">\n", m.stressed ? " ladder-fault" : "");
    if (m.stressed)
      add("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", left_, y - 14, right_ - left_,
          last - y + 23);
    add("<text class=\"ladder-time\" x=\"8\" y=\"{}\">{}</text>\n", y + 4, time_of(m.at));
    if (!m.stressed)
      add("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", left_, last + 7, right_, last + 7);
    if (m.on) add("<circle cx=\"{}\" cy=\"{}\" r=\"5\"/>\n", x, last + 7);
    for (const std::string& line : lines) {
      add("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", anchor, text_at, y + 2, html_escaped(line));
      y += line_height;
    }
    add("</g>\n");
  }

  void gap(const std::string& text, int y) {
    add("<text class=\"ladder-gap ladder-middle\" x=\"{}\" y=\"{}\">{}</text>\n", (left_ + right_) / 2, y + 2,
        html_escaped(text));
  }

  [[nodiscard]] int line_of(std::size_t host) const {
    return left_ + (right_ - left_) * static_cast<int>(host) / (hosts_ - 1);
  }

  bool compact_;
  int left_, right_;  // where the outer hosts' lines are
  int hosts_;
  std::string out_;
};

}  // namespace

const char* ladder_style() noexcept {
  return ".ladder{font:13px system-ui,sans-serif;fill:currentColor;max-width:100%;height:auto}"
         "@media screen{.ladder-wide{max-width:none}}"
         ".ladder-host{font-weight:600}.ladder-host,.ladder-middle,.ladder-label{text-anchor:middle}"
         ".ladder-host-line{stroke:currentColor;opacity:.35}"
         ".ladder-end{text-anchor:end}.ladder-begin{text-anchor:start}"
         ".ladder-time,.ladder-number{font:12px ui-monospace,monospace;opacity:.75}"
         ".ladder-number{text-anchor:end}.ladder-detail,.ladder-gap{opacity:.65;font-size:12px}"
         ".ladder g line{stroke-width:1.4}"
         ".ladder-ack line{stroke:#888}.ladder-ack polygon{fill:#888}"
         ".ladder-data line{stroke:#1c7ed6}.ladder-data polygon{fill:#1c7ed6}"
         ".ladder-opening line{stroke:#2b8a3e}.ladder-opening polygon{fill:#2b8a3e}"
         ".ladder-closing line{stroke:#e8590c}.ladder-closing polygon{fill:#e8590c}"
         ".ladder-reset line,.ladder-icmp line{stroke:#e03131}"
         ".ladder-reset polygon,.ladder-icmp polygon{fill:#e03131}"
         ".ladder-proof .ladder-label,.ladder-proof .ladder-number{font-weight:700;opacity:1}"
         ".ladder-mark line{stroke:#ae3ec9;stroke-dasharray:4 4}.ladder-mark circle{fill:#ae3ec9}"
         ".ladder-mark text{fill:#ae3ec9}"
         ".ladder-lost{stroke:#e03131;stroke-width:2.5;fill:none}"
         ".ladder-fault rect{fill:#e03131}.ladder-fault text{fill:#fff;font-weight:700}"
         ".ladder-fault .ladder-time{fill:#e03131;opacity:1}.ladder-fault circle{fill:#e03131}";
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : clean(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string to_svg(const ladder& l, const svg_layout& how) {
  return svg{l, how}.text();
}

}  // namespace halfopen::report
