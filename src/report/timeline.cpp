// A timeline as SVG, by hand. Across, everything is in percent of its width and so follows its window; down,
// in CSS pixels, so that text stays readable on a telephone.

#include "report/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>

#include "report/ladder.hpp"

namespace halfopen::report {
namespace {

using ms = std::chrono::milliseconds;
using kind = timeline_mark::kind;
using namespace std::chrono_literals;

constexpr double left = 1, right = 99;  ///< percent
/// Up to here the axis is nearly linear: 0 has a place on it.
constexpr ms bend = 20ms;
constexpr double least_width = 0.5;  ///< of a mark, in percent
constexpr int lane_height = 10, label_height = 17, head_height = 40, axis_height = 24;
constexpr std::size_t most_lanes = 8;

/// The telling ones first: they get room first, and stand on top.
constexpr std::array by_weight{kind::line, kind::wrong, kind::stuck,
                               kind::poor, kind::good,  kind::unfinished};

const char* class_of(kind k) {
  switch (k) {
    case kind::good:
      return "good";
    case kind::poor:
      return "poor";
    case kind::wrong:
      return "wrong";
    case kind::stuck:
      return "stuck";
    case kind::unfinished:
      return "unfinished";
    case kind::line:
      return "line";
  }
  return "good";
}

/// Of a mark, in its lane.
int height_of(kind k) {
  return k == kind::good || k == kind::unfinished ? 4 : k == kind::line ? 2 : 8;
}

/// At the end of a mark, around it; null: its kind has none.
const char* sign_of(kind k) {
  switch (k) {
    case kind::stuck:
      return "M-4-4L4 4M-4 4L4-4";
    case kind::wrong:
      return "M0-6L5 4H-5Z";
    case kind::line:
      return "M0-4V4";
    default:
      return nullptr;
  }
}

std::string short_time(ms t) {
  if (t < 1s) return fmt::format("{} ms", t.count());
  if (t < 1min) return fmt::format("{} s", t / 1s);
  if (t < 1h) return fmt::format("{} min", t / 1min);
  if (t < 24h) return fmt::format("{} h", t / 1h);
  return fmt::format("{} d", t / 24h);
}

}  // namespace

// ---- the axis

timeline_axis::timeline_axis(ms first, std::optional<ms> turn, ms last) {
  const ms before = std::max<ms>(-first, 100ms);
  const ms away = turn.value_or(0ms);
  const ms after = std::max<ms>(last - away, 1s);
  const double zero = left + 10;
  const double back = away > 0ms ? zero + 44 : zero;
  before_ = {left, zero, before};
  away_ = {zero, back, away};
  after_ = {back, right, after};
}

double timeline_axis::share(const part& p, ms at) {
  const auto stretched = [](ms t) {
    return std::log1p(static_cast<double>(t.count()) / static_cast<double>(bend.count()));
  };
  if (p.length <= 0ms) return 0;
  return stretched(std::clamp(at, ms(0), p.length)) / stretched(p.length);
}

double timeline_axis::place(ms at) const {
  if (at < 0ms) return before_.end - share(before_, -at) * (before_.end - before_.begin);
  if (at < away_.length) return away_.begin + share(away_, at) * (away_.end - away_.begin);
  return after_.begin + share(after_, at - away_.length) * (after_.end - after_.begin);
}

void timeline_axis::add_ticks(std::vector<tick>& all, const part& p) {
  constexpr std::array<ms, 9> candidates{100ms, 1s, 10s, 1min, 10min, 1h, 3h, 24h, ms(240h)};
  constexpr double apart = 6;  // percent: eight letters of a page's width
  double last = p.begin;
  bool fine = false;
  for (const ms t : candidates) {
    const double at = p.begin + share(p, t) * (p.end - p.begin);
    if (t > p.length || at - last < apart || p.end - at < apart / 2) continue;
    all.push_back({at, short_time(t), fine});
    last = at;
    fine = !fine;
  }
}

std::vector<timeline_axis::tick> timeline_axis::ticks() const {
  std::vector<tick> all;
  if (away_.length > 0ms) add_ticks(all, away_);
  add_ticks(all, after_);
  return all;
}

// ---- the picture

namespace {

/// A mark, and where it stands.
struct placed {
  const timeline_mark* mark;
  double from, until;  ///< percent
  std::size_t lane;
};

/// Marks that overlap stand in lanes one above the other.
class lanes {
 public:
  /// The lane that has room for it; nothing if none has.
  std::optional<std::size_t> take(double from, double until) {
    for (std::size_t i = 0; i < most_lanes; ++i) {
      auto& taken = taken_.at(i);
      const auto next = taken.lower_bound(from);
      if (next != taken.end() && next->first < until) continue;
      if (next != taken.begin() && std::prev(next)->second > from) continue;
      taken.emplace(from, until);
      used_ = std::max(used_, i + 1);
      return i;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t used() const { return std::max<std::size_t>(used_, 1); }

 private:
  std::array<std::map<double, double>, most_lanes> taken_;
  std::size_t used_ = 0;
};

struct placed_row {
  std::string label;
  std::vector<placed> marks;
  std::size_t lanes = 1, without_room = 0;
};

placed_row place(const timeline_row& row, const timeline_axis& axis) {
  placed_row made{.label = row.label, .marks = {}};
  lanes room;
  for (const kind k : by_weight)
    for (const timeline_mark& m : row.marks) {
      if (m.what != k) continue;
      const double from = axis.place(m.from);
      const double until = std::max(axis.place(m.until), from + least_width);
      if (const auto lane = room.take(from, until + 0.1))
        made.marks.push_back({&m, from, until, *lane});
      else
        ++made.without_room;
    }
  made.lanes = room.used();
  return made;
}

class picture {
 public:
  explicit picture(const timeline& t) : t_(t), axis_(axis_of(t)) {
    for (const timeline_row& row : t.rows) rows_.push_back(place(row, axis_));
    int height = head_height;
    for (const placed_row& row : rows_) height += height_of_row(row);
    const int bottom = height;
    begin(bottom + axis_height);
    shade(bottom);
    ticks(bottom);
    int y = head_height;
    for (const placed_row& row : rows_) {
      draw(row, y);
      y += height_of_row(row);
    }
    moments(bottom);
    out_ += "</svg>\n";
  }
  std::string text() && { return std::move(out_); }

 private:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
  }

  static timeline_axis axis_of(const timeline& t) {
    ms first{}, last = t.turn.value_or(ms(0));
    for (const timeline_row& row : t.rows)
      for (const timeline_mark& m : row.marks) {
        first = std::min(first, m.from);
        last = std::max(last, m.until);
      }
    for (const timeline_moment& m : t.moments) last = std::max(last, m.at);
    return {first, t.turn, last};
  }

  static int height_of_row(const placed_row& row) {
    return label_height + static_cast<int>(row.lanes) * lane_height + 6;
  }

  void begin(int height) {
    add("<svg class=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\" width=\"100%\" height=\"{}\" "
        "role=\"img\">\n<title>{}</title>\n",
        height, html_escaped(t_.title));
  }

  void shade(int bottom) {
    if (!t_.turn) return;
    const double from = axis_.place(ms(0)), until = axis_.place(*t_.turn);
    add("<rect class=\"timeline-away\" x=\"{:.2f}%\" y=\"{}\" width=\"{:.2f}%\" height=\"{}\"/>\n", from,
        head_height - 4, until - from, bottom - head_height + 4);
  }

  void ticks(int bottom) {
    for (const auto& tick : axis_.ticks()) {
      const char* fine = tick.fine ? " timeline-fine" : "";
      add("<line class=\"timeline-tick{}\" x1=\"{:.2f}%\" y1=\"{}\" x2=\"{:.2f}%\" y2=\"{}\"/>"
          "<text class=\"timeline-middle{}\" x=\"{:.2f}%\" y=\"{}\">{}</text>\n",
          fine, tick.place, head_height - 4, tick.place, bottom + 4, fine, tick.place, bottom + 16,
          tick.label);
    }
  }

  void draw(const placed_row& row, int y) {
    add("<g>\n<text class=\"timeline-label\" x=\"{}%\" y=\"{}\">{}{}</text>\n", left, y + 12,
        html_escaped(row.label),
        row.without_room > 0 ? fmt::format(" (and {} more, no room)", row.without_room) : "");
    for (const placed& p : row.marks) {
      const int height = height_of(p.mark->what);
      const int top = y + label_height + static_cast<int>(p.lane) * lane_height + (lane_height - height) / 2;
      mark(*p.mark, p.from, p.until, top, height);
    }
    add("</g>\n");
  }

  void mark(const timeline_mark& m, double from, double until, int top, int height) {
    add("<g class=\"timeline-{}\"><title>{}</title><rect x=\"{:.2f}%\" y=\"{}\" width=\"{:.2f}%\" "
        "height=\"{}\"/>",
        class_of(m.what), html_escaped(m.words), from, top, until - from, height);
    if (!m.goes_on) sign(m.what, until, top, height);
    add("</g>\n");
  }

  void sign(kind k, double at, int top, int height) {
    if (const char* path = sign_of(k))
      add("<svg x=\"{:.2f}%\" y=\"{}\" overflow=\"visible\"><path d=\"{}\"/></svg>", at, top + height / 2,
          path);
  }

  void moment(ms at, const std::string& words, int bottom, int line, const char* look) {
    const double x = axis_.place(at);
    // Towards the middle of the picture, so that nothing is cut.
    const char* side = x > 60 ? "timeline-end" : "timeline-begin";
    add("<g class=\"{}\"><line x1=\"{:.2f}%\" y1=\"{}\" x2=\"{:.2f}%\" y2=\"{}\"/>"
        "<text class=\"{}\" x=\"{:.2f}%\" y=\"{}\">{}</text></g>\n",
        look, x, 14 + 14 * line, x, bottom, side, x > 60 ? x - 0.5 : x + 0.5, 12 + 14 * line,
        html_escaped(words));
  }

  void moments(int bottom) {
    moment(ms(0), t_.zero, bottom, 0, "timeline-moment");
    if (t_.turn) moment(*t_.turn, t_.turn_words, bottom, 1, "timeline-moment");
    constexpr std::size_t most = 20;
    for (std::size_t i = 0; i < std::min(most, t_.moments.size()); ++i) {
      const double x = axis_.place(t_.moments[i].at);
      add("<g class=\"timeline-event\"><title>{}</title><line x1=\"{:.2f}%\" y1=\"{}\" x2=\"{:.2f}%\" "
          "y2=\"{}\"/></g>\n",
          html_escaped(t_.moments[i].words), x, head_height - 4, x, bottom);
    }
  }

  const timeline& t_;
  timeline_axis axis_;
  std::vector<placed_row> rows_;
  std::string out_;
};

}  // namespace

const char* timeline_style() noexcept {
  return ".timeline{display:block;font:12px system-ui,sans-serif;fill:currentColor;overflow:hidden}"
         ".timeline-label{font-weight:600}.timeline-middle{text-anchor:middle}.timeline-end{text-anchor:end}"
         ".timeline-away{fill:#888;opacity:.18}"
         ".timeline-tick{stroke:currentColor;opacity:.2}"
         ".timeline-moment line{stroke:#c2255c;stroke-width:1.5}.timeline-moment text{font-weight:600}"
         ".timeline-event line{stroke:#ae3ec9;stroke-width:1.5;stroke-dasharray:4 3}"
         ".timeline-good rect{fill:#2f9e44}"
         ".timeline-poor rect{fill:none;stroke:#e8590c;stroke-width:1.5}"
         ".timeline-stuck rect{fill:#e03131;opacity:.75}.timeline-stuck "
         "path{stroke:currentColor;stroke-width:2;"
         "fill:none}"
         ".timeline-wrong rect{fill:#7048e8}.timeline-wrong path{fill:currentColor}"
         ".timeline-unfinished rect{fill:#888;opacity:.6}"
         ".timeline-line rect{fill:#1c7ed6}.timeline-line path{stroke:currentColor;stroke-width:1.5}"
         ".timeline-keys{font-size:.8rem;margin:.3rem .6rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1rem}"
         ".timeline-keys span{display:flex;align-items:center;gap:.2rem}"
         "@media(max-width:40rem){.timeline-fine{display:none}}";
}

std::string to_svg(const timeline& t) {
  return picture{t}.text();
}

std::string to_html(const timeline& t, const std::vector<timeline_key>& keys) {
  std::string out = "<p class=\"timeline-keys\">";
  for (const timeline_key& key : keys) {
    const bool there = std::ranges::any_of(t.rows, [&](const timeline_row& row) {
      return std::ranges::count(row.marks, key.what, &timeline_mark::what) > 0;
    });
    if (!there) continue;
    const int height = height_of(key.what);
    const char* path = sign_of(key.what);
    out += fmt::format(
        "<span><svg class=\"timeline\" width=\"28\" height=\"14\"><g class=\"timeline-{}\"><rect x=\"2\" "
        "y=\"{}\" width=\"18\" height=\"{}\"/>{}</g></svg>{}</span> ",
        class_of(key.what), 7 - height / 2, height,
        path == nullptr
            ? ""
            : fmt::format("<svg x=\"20\" y=\"7\" overflow=\"visible\"><path d=\"{}\"/></svg>", path),
        html_escaped(key.words));
  }
  return out + "</p>\n";
}

}  // namespace halfopen::report
