// A ladder as SVG, by hand: a dozen kinds of elements, and no library in Debian that
// writes them would be smaller than this file. Sizes are in CSS pixels; the text is text,
// so that a browser's search finds a packet's number.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "report/ladder_rows.hpp"
#include "report/utf8.hpp"
#include "report/wrap.hpp"

namespace halfopen::report {
namespace {

using kind = ladder_arrow::kind;

constexpr int row_height = 30, line_height = 17, head_height = 44;
/// Of a host's line, on either side of a break.
constexpr int half_break = 6;

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
    const int height = lay_out(rows);
    const char* style = how.with_style ? ladder_style() : "";
    add("<svg class=\"ladder{}\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" "
        "height=\"{}\" role=\"img\">\n<title>{}</title>\n<style>{}</style>\n",
        hosts_ > 3 ? " ladder-wide" : "", how.width, height, how.width, height, html_escaped(l.title), style);
    head(l);
    if (l.wait) wait(*l.wait, rows);
    host_lines(height - 6);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].arrow != nullptr)
        arrow(*rows[i].arrow, tops_[i]);
      else if (rows[i].mark)
        mark(*rows[i].mark, tops_[i], rows[i].timeless);
      else
        gap(rows[i], tops_[i]);
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
    if (s >= 1000) return readable(at);
    return s < 1 ? fmt::format("{:.2f} ms", 1000 * s) : fmt::format("{:.3f} s", s);
  }

  /// A mark's text may be a sentence.
  [[nodiscard]] std::vector<std::string> lines_of(const ladder_mark& m) const {
    constexpr double letter = 7;  // of 13 px, on average
    return wrap(clean(m.text), static_cast<std::size_t>(std::max(10.0, (right_ - left_ - 28) / letter)));
  }
  [[nodiscard]] int height_of(const ladder_row& row) const {
    if (row.jump) return row_height + static_cast<int>(extra_of(*row.jump));
    return row.mark ? row_height + static_cast<int>(lines_of(*row.mark).size() - 1) * line_height
                    : row_height;
  }

  /// A longer silence is a larger gap, by its logarithm: 15 minutes are three times as high as a second.
  static double extra_of(std::chrono::nanoseconds jump) {
    constexpr double pixels_a_power = 18;
    return pixels_a_power * std::log10(std::max(1.0, std::chrono::duration<double>(jump).count()));
  }

  /// Where each row is, and where the hosts' lines are broken; gives the height of all.
  int lay_out(const std::vector<ladder_row>& rows) {
    int y = head_height + row_height;
    for (const ladder_row& row : rows) {
      const int height = height_of(row);
      const int middle = row.jump ? y + (height - row_height) / 2 : y;
      tops_.push_back(middle);
      if (row.jump) breaks_.push_back(middle);
      y += height;
    }
    return y - row_height + 20;
  }

  /// Calls what draws with the pieces between the breaks.
  template <class Draw>
  void pieces(int from, int to, Draw draw) {
    for (const int at : breaks_) {
      if (at <= from || at >= to) continue;
      draw(from, at - half_break);
      from = at + half_break;
    }
    draw(from, to);
  }

  void host_lines(int bottom) {
    for (int i = 0; i < hosts_; ++i) {
      const int x = line_of(static_cast<std::size_t>(i));
      pieces(30, bottom, [&](int from, int to) {
        add("<line class=\"ladder-host-line\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", x, from, x, to);
      });
      for (const int at : breaks_)  // two strokes: the axis is broken here
        add("<path class=\"ladder-break\" d=\"M{} {}l12 -6m-12 {}l12 -6\"/>\n", x - 6, at - half_break + 3,
            2 * half_break + 6);
    }
  }

  /// A bar beside the line of who waits: to where it was seen to, and paler beyond.
  void wait(const ladder_wait& w, const std::vector<ladder_row>& rows) {
    std::optional<int> from, seen, outlook;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& m = rows[i].mark;
      const bool later =
          rows[i].arrow != nullptr ? rows[i].arrow->at >= w.from : m && !rows[i].timeless && m->at >= w.from;
      if (later && !from) from = tops_[i];
      if (m && m->what == ladder_mark::kind::wait) seen = tops_[i];
      if (m && m->what == ladder_mark::kind::outlook) outlook = tops_[i];
    }
    if (!from) return;
    const auto bar = [&](const char* look, int begin, int end) {
      pieces(begin, end, [&](int y, int to) {
        add("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"8\" height=\"{}\"/>\n", look, line_of(w.on) - 4, y,
            std::max(0, to - y));
      });
    };
    if (seen) bar("ladder-wait", *from, *seen);
    if (outlook)
      bar(w.outlook_seen ? "ladder-wait" : "ladder-wait ladder-unseen", seen.value_or(*from), *outlook);
  }

  void head(const ladder& l) {
    for (std::size_t i = 0; i < l.hosts.size(); ++i)
      add("<text class=\"ladder-host {}\" x=\"{}\" y=\"20\">{}</text>\n",
          i == 0                    ? "ladder-begin"
          : i + 1 == l.hosts.size() ? "ladder-end"
                                    : "ladder-middle",
          line_of(i), html_escaped(l.hosts[i]));
    add("<text class=\"ladder-time\" x=\"8\" y=\"20\">{}</text>\n", compact_ ? "time" : "seconds, packet");
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

  static const char* look_of(const ladder_mark& m) {
    switch (m.what) {
      case ladder_mark::kind::wait:
        return " ladder-waits";
      case ladder_mark::kind::outlook:
        return " ladder-waits ladder-outlook";
      case ladder_mark::kind::event:
        break;
    }
    return m.stressed ? " ladder-fault" : "";
  }

  void mark(const ladder_mark& m, int y, bool timeless) {
    const int x = m.on ? line_of(*m.on) : (left_ + right_) / 2;
    const bool at_right = m.on && x > (left_ + right_) / 2;
    const char* anchor = at_right ? "ladder-end" : m.on ? "ladder-begin" : "ladder-middle";
    const int text_at = at_right ? x - 14 : m.on ? x + 14 : x;
    const auto lines = lines_of(m);
    const int last = y + static_cast<int>(lines.size() - 1) * line_height;
    const bool event = m.what == ladder_mark::kind::event;
    add("<g class=\"ladder-mark{}\">\n", look_of(m));
    if (m.stressed)
      add("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", left_, y - 14, right_ - left_,
          last - y + 23);
    if (!timeless) add("<text class=\"ladder-time\" x=\"8\" y=\"{}\">{}</text>\n", y + 4, time_of(m.at));
    if (!m.stressed && event)
      add("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", left_, last + 7, right_, last + 7);
    if (m.on) add("<circle cx=\"{}\" cy=\"{}\" r=\"5\"/>\n", x, event ? last + 7 : y);
    for (const std::string& line : lines) {
      add("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", anchor, text_at, y + 2, html_escaped(line));
      y += line_height;
    }
    add("</g>\n");
  }

  void gap(const ladder_row& row, int y) {
    add("<text class=\"ladder-gap ladder-middle\" x=\"{}\" y=\"{}\">{}</text>\n", (left_ + right_) / 2,
        y + (row.jump ? 4 : 2), html_escaped(row.gap));
  }

  [[nodiscard]] int line_of(std::size_t host) const {
    return left_ + (right_ - left_) * static_cast<int>(host) / (hosts_ - 1);
  }

  bool compact_;
  int left_, right_;  // where the outer hosts' lines are
  int hosts_;
  std::vector<int> tops_;    ///< of the rows
  std::vector<int> breaks_;  ///< where the hosts' lines are broken
  std::string out_;
};

}  // namespace

const char* ladder_style() noexcept {
  return ".ladder{font:13px system-ui,sans-serif;fill:currentColor;max-width:100%;height:auto;"
         "--ladder-mark:#862e9c;--ladder-alarm:#c92a2a;--ladder-data:#1971c2;--ladder-opening:#2b8a3e;"
         "--ladder-closing:#d9480f}"
         "@media screen and (prefers-color-scheme:dark){.ladder{--ladder-mark:#e599f7;--ladder-alarm:#ff8787;"
         "--ladder-data:#4dabf7;--ladder-opening:#51cf66;--ladder-closing:#ffa94d}}"
         "@media screen{.ladder-wide{max-width:none}}"
         ".ladder-host{font-weight:600}.ladder-host,.ladder-middle,.ladder-label{text-anchor:middle}"
         ".ladder-host-line{stroke:currentColor;opacity:.45}"
         ".ladder-break{stroke:currentColor;stroke-width:1.5;fill:none}"
         ".ladder-end{text-anchor:end}.ladder-begin{text-anchor:start}"
         ".ladder-time,.ladder-number{font:12px ui-monospace,monospace;opacity:.75}"
         ".ladder-number{text-anchor:end}.ladder-detail,.ladder-gap{opacity:.75;font-size:12px}"
         ".ladder g line{stroke-width:1.4}"
         ".ladder-ack line{stroke:#868e96}.ladder-ack polygon{fill:#868e96}"
         ".ladder-data line{stroke:var(--ladder-data)}.ladder-data polygon{fill:var(--ladder-data)}"
         ".ladder-opening line{stroke:var(--ladder-opening)}.ladder-opening "
         "polygon{fill:var(--ladder-opening)}"
         ".ladder-closing line{stroke:var(--ladder-closing)}.ladder-closing "
         "polygon{fill:var(--ladder-closing)}"
         ".ladder-reset line,.ladder-icmp line{stroke:var(--ladder-alarm)}"
         ".ladder-reset polygon,.ladder-icmp polygon{fill:var(--ladder-alarm)}"
         ".ladder-proof .ladder-label,.ladder-proof .ladder-number{font-weight:700;opacity:1}"
         ".ladder-mark line{stroke:var(--ladder-mark);stroke-dasharray:4 4}.ladder-mark "
         "circle{fill:var(--ladder-mark)}"
         ".ladder-mark text{fill:var(--ladder-mark)}"
         ".ladder-lost{stroke:var(--ladder-alarm);stroke-width:2.5;fill:none}"
         ".ladder-fault rect{fill:#c92a2a}.ladder-fault text{fill:#fff;font-weight:700}"
         ".ladder-mark .ladder-time{opacity:1}.ladder-fault .ladder-time{fill:var(--ladder-alarm)}"
         ".ladder-wait{fill:var(--ladder-alarm);opacity:.45}.ladder-unseen{opacity:.25}"
         ".ladder-waits text{fill:var(--ladder-alarm);font-weight:700}.ladder-waits "
         "circle{fill:var(--ladder-alarm)}"
         ".ladder-outlook text{font-style:italic}";
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
