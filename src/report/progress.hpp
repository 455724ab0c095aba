#ifndef HALFOPEN_REPORT_PROGRESS_HPP
#define HALFOPEN_REPORT_PROGRESS_HPP

/// What a long run is doing now, for whoever waits for it.

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "report/terminal.hpp"

namespace halfopen::report {

/// On a terminal: one line, rewritten in place, cut to the terminal's width, at
/// most ten times a second. Elsewhere (a file, CI, TERM=dumb): one plain line for
/// each finished item, and nothing in between.
///
/// It has no thread of its own: a process that wants to enter a user namespace
/// must have one thread only (unshare(2)). So a text that came too soon after
/// the last waits for the next call; a loop that waits long calls tick().
/// Not thread-safe.
class progress {
 public:
  using clock = std::chrono::steady_clock;

  struct options {
    bool live = false;       ///< the output is a terminal that can go back to a line's begin
    bool escapes = true;     ///< it may be sent escape sequences; else blanks clear a line
    std::size_t width = 80;  ///< its columns
    std::size_t total = 0;   ///< items to come; 0 if nobody knows
    std::function<clock::time_point()> now = clock::now;
  };

  /// Writes through `sink`, which gets whole pieces of output.
  progress(std::function<void(std::string_view)> sink, options how);

  /// Writes to a file descriptor, which stays the caller's; live if it is a terminal that can do that.
  [[nodiscard]] static progress on(int fd, std::size_t total);

  /// Clears the live line.
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// What goes on now, live only: "[ 3/21] text", of which 3 are done.
  void show(std::string text);

  /// An item is done: counts it. Live, the line shows it until the next show();
  /// else "[ 4/21] text" is written as a line of its own.
  void finished(std::string_view text);

  /// The same, and its line stays, live too: uncut, above the live one.
  void finished_for_good(std::string_view text);

  /// A line that stays, above the live one if there is one.
  void say(std::string_view line);

  /// Draws what had to wait.
  void tick();

  /// Takes the live line away, as before other output; the next show() brings it back.
  void clear();

 private:
  void draw();
  [[nodiscard]] std::string cleared() const;
  [[nodiscard]] std::string line(std::size_t item, std::string_view text) const;

  std::function<void(std::string_view)> sink_;
  options how_;
  std::size_t finished_ = 0;
  std::string text_;
  bool pending_ = false;     // text_ is newer than what the terminal shows
  bool drawn_ = false;       // there is a live line to clear
  std::size_t columns_ = 0;  // that it takes
  clock::time_point last_draw_{};
};

}  // namespace halfopen::report

#endif
