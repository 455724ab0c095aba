// A live line costs three things to get right: it must not scroll (so it is cut
// one column short of the width: some terminals wrap when the last column is
// filled), it must not flood a slow terminal (so it is drawn at most ten times a
// second), and it must be gone when something else is printed.

#include "report/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "report/utf8.hpp"

namespace halfopen::report {
namespace {

constexpr std::string_view clear_to_the_end = "\r\x1b[K";
constexpr auto shortest_interval = std::chrono::milliseconds{100};

/// Progress is not worth an error: what cannot be written is dropped.
void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

progress::progress(std::function<void(std::string_view)> sink, options how)
    : sink_{std::move(sink)}, how_{std::move(how)} {}

progress progress::on(int fd, std::size_t total) {
  options how;
  how.live = can_rewrite(fd);
  how.escapes = wants_colour(fd);
  how.width = terminal_width(fd);
  how.total = total;
  return progress{[fd](std::string_view text) { write_all(fd, text); }, std::move(how)};
}

progress::~progress() {
  clear();
}

void progress::show(std::string text) {
  text_ = std::move(text);
  pending_ = true;
  tick();
}

void progress::finished(std::string_view text) {
  ++finished_;
  if (how_.live)
    show(std::string{text});
  else
    sink_(line(finished_, text) + '\n');
}

void progress::finished_for_good(std::string_view text) {
  ++finished_;
  say(line(finished_, text));
}

void progress::say(std::string_view text) {
  std::string out = drawn_ ? cleared() : std::string{};
  out += text;
  out += '\n';
  const bool redraw = drawn_;
  drawn_ = false;
  sink_(out);
  if (redraw) draw();
}

void progress::tick() {
  if (!how_.live || !pending_) return;
  if (drawn_ && how_.now() - last_draw_ < shortest_interval) return;
  draw();
}

void progress::clear() {
  if (drawn_ && sink_) sink_(cleared());
  drawn_ = false;
}

std::string progress::cleared() const {
  if (how_.escapes) return std::string{clear_to_the_end};
  return '\r' + std::string(columns_, ' ') + '\r';
}

void progress::draw() {
  const std::string shown = clip(line(finished_, text_), how_.width > 0 ? how_.width - 1 : 0);
  sink_((drawn_ || how_.escapes ? cleared() : std::string{'\r'}) + shown);
  columns_ = display_width(shown);
  last_draw_ = how_.now();
  pending_ = false;
  drawn_ = true;
}

std::string progress::line(std::size_t item, std::string_view text) const {
  const std::string cleaned = clean(text);
  if (how_.total == 0) return fmt::format("[{}] {}", item, cleaned);
  const std::size_t digits = fmt::formatted_size("{}", how_.total);
  return fmt::format("[{:>{}}/{}] {}", item, digits, how_.total, cleaned);
}

}  // namespace halfopen::report
