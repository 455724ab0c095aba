// From a connection's packets to a ladder, and its terminal form; the SVG is in
// ladder_svg.cpp.
//
// Rows are as high as their text, whatever time has passed between them: a true scale
// would put a handshake of 50 us and a silence of 15 minutes on one page, and one of them
// out of sight. Where time jumps, a row says so; the SVG breaks the hosts' lines there.

#include "report/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/ladder_rows.hpp"
#include "report/utf8.hpp"

namespace halfopen::report {
namespace {

using kind = ladder_arrow::kind;
using trace::side;

std::string flags_of(const trace::step& s) {
  std::string text;
  const auto add = [&](trace::tcp_flag flag, const char* name) {
    if ((s.flags & flag) != 0) text.append(text.empty() ? "" : "+").append(name);
  };
  add(trace::syn, "SYN");
  add(trace::fin, "FIN");
  add(trace::rst, "RST");
  add(trace::ack, "ACK");
  return text.empty() ? "no flags" : text;
}

kind kind_of(const trace::step& s) {
  if (s.icmp != trace::unreachable::none) return kind::icmp;
  if ((s.flags & trace::rst) != 0) return kind::reset;
  if ((s.flags & trace::syn) != 0) return kind::opening;
  if ((s.flags & trace::fin) != 0) return kind::closing;
  return s.length > 0 ? kind::data : kind::ack;
}

const char* words_of(trace::unreachable what) {
  switch (what) {
    case trace::unreachable::net:
      return "network unreachable";
    case trace::unreachable::host:
      return "host unreachable";
    case trace::unreachable::port:
      return "port unreachable";
    case trace::unreachable::admin_prohibited:
      return "administratively prohibited";
    default:
      return "other";
  }
}

/// Numbers as they are easiest to read: from the SYN on, or from the first that was seen.
class relative {
 public:
  explicit relative(const trace::file_entry& c) {
    for (const side s : {side::opener, side::responder}) base(s) = c.story.what.of(s).initial_sequence;
    for (const trace::step& s : c.steps) {
      if (s.icmp != trace::unreachable::none) continue;
      if (!base(s.from)) base(s.from) = s.sequence;
      if (!base(other(s.from)) && (s.flags & trace::ack) != 0) base(other(s.from)) = s.acknowledgement;
    }
  }
  [[nodiscard]] std::int64_t sequence(side s, std::uint32_t n) {
    // A little before the begin is nearer than 4 GiB after it (a keepalive probe).
    const std::uint32_t distance = n - base(s).value_or(0);
    return distance > 0xFFFF0000U ? std::int64_t{distance} - (std::int64_t{1} << 32U) : distance;
  }

 private:
  std::optional<std::uint32_t>& base(side s) { return bases_[static_cast<std::size_t>(s)]; }
  std::array<std::optional<std::uint32_t>, 2> bases_;
};

std::size_t column_of(side s) {
  return s == side::opener ? 0 : 1;
}

ladder_arrow arrow_of(const trace::step& s, relative& numbers) {
  ladder_arrow a;
  a.number = s.number;
  a.what = kind_of(s);
  a.from = column_of(s.from);
  a.to = column_of(other(s.from));
  if (a.what == kind::icmp) {
    std::swap(a.from, a.to);  // it comes back to whoever sent what it quotes
    a.label = fmt::format("ICMP {}", words_of(s.icmp));
    return a;
  }
  a.bytes = s.length;
  a.label = flags_of(s);
  if (s.length > 0) a.label = fmt::format("{} byte{}, {}", s.length, s.length == 1 ? "" : "s", a.label);
  a.detail = fmt::format("seq {}", numbers.sequence(s.from, s.sequence));
  if ((s.flags & trace::ack) != 0)
    a.detail += fmt::format(", ack {}", numbers.sequence(other(s.from), s.acknowledgement));
  if (a.what != kind::reset) a.detail += fmt::format(", win {}", s.window);
  return a;
}

std::string label_of(const std::string& name, const trace::endpoint& e) {
  return name.empty() ? e.to_string() : fmt::format("{} {}", name, e.to_string());
}

}  // namespace

std::string readable(std::chrono::nanoseconds d) {
  const double seconds = std::chrono::duration<double>(d).count();
  if (std::abs(seconds) < 1e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (std::abs(seconds) < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (std::abs(seconds) < 120) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  if (std::abs(seconds) < 7200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

ladder ladder_of(const trace::file_entry& c, const host_names& names) {
  const trace::connection& what = c.story.what;
  ladder l;
  l.title =
      fmt::format("connection {}: {} to {}", c.number, what.opener.to_string(), what.responder.to_string());
  l.hosts = {label_of(names.opener, what.opener), label_of(names.responder, what.responder)};
  relative numbers{c};
  for (const trace::step& s : c.steps) {
    ladder_arrow a = arrow_of(s, numbers);
    a.at = s.when - what.first.when;
    a.stressed = std::ranges::binary_search(c.story.proof, s.number);
    a.telling = s.window == 0 || std::ranges::any_of(what.flows, [&](const trace::flow& f) {
                  return f.longest_pause.until.number == s.number;
                });
    l.arrows.push_back(std::move(a));
  }
  if (c.steps_left_out > 0) l.left_out = {{c.steps.size() / 2, c.steps_left_out}};
  return l;
}

namespace {

colour tint_of(const ladder_arrow& a) {
  switch (a.what) {
    case kind::reset:
    case kind::icmp:
      return colour::red;
    case kind::closing:
      return colour::yellow;
    case kind::opening:
      return colour::green;
    case kind::data:
      return colour::cyan;
    default:
      return colour::none;
  }
}

std::string repeated(std::string_view what, std::size_t times) {
  std::string all;
  while (times-- > 0) all += what;
  return all;
}

/// Text in the middle of `width` columns.
std::string centred(std::string_view text, std::size_t width, std::string_view filler = " ") {
  const std::string cut = clip(text, width);
  const std::size_t rest = width - display_width(cut);
  return repeated(filler, rest / 2) + cut + repeated(filler, rest - rest / 2);
}

class text_ladder {
 public:
  text_ladder(const ladder& l, const canvas& where) : l_{l}, canvas_{where}, gaps_(l.hosts.size() - 1) {
    room_ = std::max<std::size_t>(where.width, 60) - margin - 2;
    const std::size_t free = room_ - std::min(room_, gaps_.size() - 1);
    for (std::size_t i = 0; i < gaps_.size(); ++i)
      gaps_[i] = free * (i + 1) / gaps_.size() - free * i / gaps_.size();
  }

  std::string render() {
    line("", head());
    for (const ladder_row& row : rows_of(l_)) {
      if (row.arrow != nullptr)
        arrow(*row.arrow);
      else if (row.mark)
        mark(*row.mark, row.timeless);
      else
        line("", "┊" + centred(row.gap, room_) + "┊", colour::dim);
    }
    return std::move(out_);
  }

 private:
  static constexpr std::size_t margin = 22;  // "  1234.567890   12345 "

  [[nodiscard]] std::string head() const {
    const std::size_t share = (room_ + 2) / l_.hosts.size() - 1;
    std::string text;
    std::size_t end = 0;  // of the column's line
    for (std::size_t i = 0; i < l_.hosts.size(); ++i) {
      const std::string name = clip(clean(l_.hosts[i]), share);
      const std::size_t width = display_width(name);
      end += i == 0 ? 1 : gaps_[i - 1] + 1;
      const std::size_t begin = i == 0                     ? 0
                                : i + 1 == l_.hosts.size() ? end - std::min(end, width)
                                                           : end - std::min(end, width / 2 + 1);
      text += std::string(begin - std::min(begin, display_width(text)), ' ') + name;
    }
    return text;
  }

  /// Columns between the lines of two hosts.
  [[nodiscard]] std::size_t between(std::size_t left, std::size_t right) const {
    std::size_t sum = right - left - 1;
    for (std::size_t i = left; i < right; ++i) sum += gaps_[i];
    return sum;
  }

  /// What stands before one host's line, and behind another's.
  [[nodiscard]] std::string before(std::size_t host) const {
    std::string text;
    for (std::size_t i = 0; i < host; ++i) text += "│" + std::string(gaps_[i], ' ');
    return text;
  }
  [[nodiscard]] std::string behind(std::size_t host) const {
    std::string text;
    for (std::size_t i = host; i + 1 < l_.hosts.size(); ++i) text += std::string(gaps_[i], ' ') + "│";
    return text;
  }

  void arrow(const ladder_arrow& a) {
    std::string text = clean(a.label);
    const std::string both = text + "  " + a.detail;
    const auto [first, last] = std::minmax(a.from, a.to);
    const std::size_t room = between(first, last);
    if (!a.detail.empty() && display_width(both) + 8 <= room) text = both;
    const std::string shaft = centred(" " + text + " ", room - 1, "─");
    const bool right = a.from < a.to;
    const std::string when =
        fmt::format("{:>12.6f} {:>7}{}", std::chrono::duration<double>(a.at).count(),
                    a.number != 0 ? fmt::format("{}", a.number) : "", a.stressed ? "*" : " ");
    const std::string_view head = a.lost ? "✗" : right ? "▶" : "◀";
    const std::string body = right ? fmt::format("├{}{}│", shaft, head) : fmt::format("│{}{}┤", head, shaft);
    line(when, before(first) + body + behind(last), tint_of(a));
  }

  void mark(const ladder_mark& m, bool timeless) {
    const std::string text = clip(clean(m.text), room_ - 4);
    std::string inner;
    if (!m.on)
      inner = centred("◆ " + text, room_);
    else if (*m.on + 1 < l_.hosts.size()) {
      const std::size_t at = *m.on == 0 ? 0 : std::min(between(0, *m.on), room_ - 2 - display_width(text));
      inner = std::string(at, ' ') + "◆ " + text + std::string(room_ - 2 - at - display_width(text), ' ');
    } else
      inner = std::string(room_ - 2 - display_width(text), ' ') + text + " ◆";
    const std::string when =
        timeless ? std::string() : fmt::format("{:>12.6f}", std::chrono::duration<double>(m.at).count());
    line(when, "│" + inner + "│", colour::magenta);
  }

  void line(const std::string& when, const std::string& body, colour tint = colour::none) {
    std::string text = when + std::string(margin - std::min(margin, display_width(when)), ' ');
    text += canvas_.colours && tint != colour::none ? painted(body, tint) : body;
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out_ += text + "\n";
  }

  const ladder& l_;
  canvas canvas_;
  std::size_t room_;               ///< between the outer lines
  std::vector<std::size_t> gaps_;  ///< between neighbouring lines
  std::string out_;
};

}  // namespace

std::string to_text(const ladder& l, const canvas& where) {
  return text_ladder{l, where}.render();
}

}  // namespace halfopen::report
