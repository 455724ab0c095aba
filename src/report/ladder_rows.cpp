// What is a row of a ladder: arrows and marks by time, what is folded between them, and where time jumps.

#include "report/ladder_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace halfopen::report {
namespace {

using kind = ladder_arrow::kind;

const ladder_omission* omission_before(const ladder& l, std::size_t arrow) {
  const auto found = std::ranges::find(l.left_out, arrow, &ladder_omission::before);
  return found == l.left_out.end() ? nullptr : &*found;
}

/// How many arrows from `begin` on are one row: a run in which nothing happens but data and ACKs, one
/// soon after the other, of which the first and last few are shown. 0: that arrow is a row itself.
std::size_t folded_from(const ladder& l, const std::vector<ladder_mark>& marks, std::size_t begin) {
  constexpr std::size_t shown_around = 3, least = 6;
  const auto dull = [&](std::size_t i) {
    const ladder_arrow& a = l.arrows[i];
    return (a.what == kind::data || a.what == kind::ack) && !a.stressed && !a.telling && !a.lost &&
           omission_before(l, i) == nullptr;
  };
  const auto follows = [&](std::size_t i) {  // nothing between it and the one before
    const auto from = l.arrows[i - 1].at, to = l.arrows[i].at;
    return to - from < std::chrono::seconds{1} &&
           std::ranges::none_of(marks, [&](const ladder_mark& m) { return m.at >= from && m.at <= to; });
  };
  if (begin < shown_around) return 0;
  for (std::size_t i = begin - shown_around; i < begin; ++i)
    if (!dull(i) || !follows(i + 1)) return 0;
  std::size_t end = begin;
  while (end < l.arrows.size() && dull(end) && follows(end)) ++end;
  const std::size_t run = end - begin;
  return run >= shown_around + least ? run - shown_around : 0;
}

std::string folded_words(std::span<const ladder_arrow> run) {
  std::uint64_t there = 0, back = 0;
  for (const ladder_arrow& a : run) (a.from < a.to ? there : back) += a.bytes;
  return fmt::format("{} more, {} B > {} B <", run.size(), there, back);
}

/// What happened beside the packets, what is to be said of a wait among it, by time.
std::vector<ladder_mark> marks_of(const ladder& l) {
  using mark = ladder_mark::kind;
  std::vector<ladder_mark> marks = l.marks;
  if (l.wait && l.wait->seen) marks.push_back({*l.wait->seen, l.wait->still, l.wait->on, false, mark::wait});
  if (l.wait && l.wait->outlook_seen)
    marks.push_back({*l.wait->outlook_seen, l.wait->outlook, l.wait->on, false, mark::outlook});
  std::ranges::stable_sort(marks, {}, &ladder_mark::at);
  return marks;
}

/// From top to bottom; where time jumps, a row says so.
class row_list {
 public:
  explicit row_list(const ladder& l) : l_{l}, marks_{marks_of(l)}, mark_{marks_.cbegin()} {}

  std::vector<ladder_row> make() {
    for (std::size_t i = 0; i < l_.arrows.size(); ++i) {
      marks_until(l_.arrows[i].at);
      not_shown_before(i);
      if (const std::size_t run = folded_from(l_, marks_, i); run > 0) {
        rows_.push_back({.gap = folded_words(std::span{l_.arrows}.subspan(i, run))});
        i += run - 1;
        before_ = l_.arrows[i].at;
        continue;
      }
      note_jump(l_.arrows[i].at);
      rows_.push_back({.arrow = &l_.arrows[i]});
    }
    not_shown_before(l_.arrows.size());
    marks_until(std::nullopt);
    add_outlook();
    return std::move(rows_);
  }

 private:
  void note_jump(std::chrono::nanoseconds at) {
    constexpr auto jump = std::chrono::seconds{1};
    if (before_ && at - *before_ >= jump)
      rows_.push_back({.gap = is_silent(*before_) ? readable(at - *before_) + " of silence"
                                                  : readable(at - *before_) + " later",
                       .jump = at - *before_});
    before_ = at;
  }
  /// Nothing came from then to the next row, and somebody waited for it.
  [[nodiscard]] bool is_silent(std::chrono::nanoseconds from) const {
    const bool all_shown = rows_.empty() || rows_.back().gap.empty();
    return l_.wait && from >= l_.wait->from && all_shown;
  }
  void marks_until(std::optional<std::chrono::nanoseconds> until) {
    for (; mark_ != marks_.cend() && (!until || mark_->at < *until); ++mark_) {
      note_jump(mark_->at);
      rows_.push_back({.mark = *mark_});
    }
  }
  void not_shown_before(std::size_t arrow) {
    if (const auto* none = omission_before(l_, arrow))
      rows_.push_back({.gap = fmt::format("{} packets not shown", none->count)});
  }
  void add_outlook() {
    if (!l_.wait || l_.wait->outlook.empty() || l_.wait->outlook_seen) return;
    rows_.push_back({.gap = "not watched any longer", .jump = std::chrono::nanoseconds{}});
    rows_.push_back(
        {.mark = ladder_mark{{}, l_.wait->outlook, l_.wait->on, false, ladder_mark::kind::outlook},
         .timeless = true});
  }

  const ladder& l_;
  std::vector<ladder_mark> marks_;
  std::vector<ladder_mark>::const_iterator mark_;
  std::vector<ladder_row> rows_;
  std::optional<std::chrono::nanoseconds> before_;  ///< the last row's time
};

}  // namespace

std::vector<ladder_row> rows_of(const ladder& l) {
  return row_list{l}.make();
}

}  // namespace halfopen::report
