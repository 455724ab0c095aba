#ifndef HALFOPEN_SRC_REPORT_TIMELINE_HPP
#define HALFOPEN_SRC_REPORT_TIMELINE_HPP

/// \file
/// What happened around two moments, as SVG for a page: rows of marks, each as long as it lasted. It decides
/// how they look, never what they mean.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace halfopen::report {

/// Something that lasted.
struct timeline_mark {
  /// Each has a shape and a height of its own, so that nobody needs its colour.
  enum class kind : std::uint8_t { good, poor, wrong, stuck, unfinished, line };
  std::chrono::milliseconds from{}, until{};
  kind what = kind::good;
  std::string words{};   ///< shown when it is pointed at
  bool goes_on = false;  ///< nobody saw its end: nothing marks it
};

struct timeline_row {
  std::string label;
  std::vector<timeline_mark> marks;
};

/// Something that happened at once: a line through all rows.
struct timeline_moment {
  std::chrono::milliseconds at{};
  std::string words;
};

/// Time counts from the first moment, 0. It runs logarithmically from there, and again from `turn`: half an
/// hour of one thing and the tenth of a second that follows it are both seen.
struct timeline {
  std::string title;
  std::string zero, turn_words;                     ///< what happened at 0, and at `turn`
  std::optional<std::chrono::milliseconds> turn{};  ///< later than 0; between the two is shaded
  std::vector<timeline_row> rows;
  std::vector<timeline_moment> moments{};
};

/// What a kind of mark means, for the key below the rows.
struct timeline_key {
  timeline_mark::kind what;
  std::string words;
};

/// One <svg> element as wide as what it stands in; its text stays as large. Marks for which there is no room
/// are counted in the row's label, of the least telling kinds first: the picture of any number is bounded.
[[nodiscard]] std::string to_svg(const timeline& t);

/// A line of HTML that explains the kinds of marks that the timeline has.
[[nodiscard]] std::string to_html(const timeline& t, const std::vector<timeline_key>& keys);

/// The CSS of to_svg(), to be put into a page once.
[[nodiscard]] const char* timeline_style() noexcept;

/// Where times stand on the axis of a timeline, in percent of its width.
class timeline_axis {
 public:
  using ms = std::chrono::milliseconds;
  timeline_axis(ms first, std::optional<ms> turn, ms last);
  [[nodiscard]] double place(ms at) const;

  struct tick {
    double place;
    std::string label;  ///< "100 ms", from 0 or from the turn on
    bool fine = false;  ///< to be left out where there is little room
  };
  [[nodiscard]] std::vector<tick> ticks() const;

 private:
  struct part {
    double begin, end;  ///< percent
    ms length;
  };
  static double share(const part& p, ms at);
  static void add_ticks(std::vector<tick>& all, const part& p);
  part before_, away_, after_;
};

}  // namespace halfopen::report

#endif
