// A program that dies says why in the way of its language: Python puts the error below the frames,
// node, Java and .NET above them, Rust on the line after the place, Go before the goroutines. The
// first line of the error output is right for none of them but Go, and wrong for curl and wget too,
// whose first lines are a progress meter and a date.
//
// Nothing is parsed more deeply than that: a line quoted from a trace that is not understood is
// still a line that the program wrote.

#include "judge/last_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

constexpr std::size_t longest_saying = 160;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view without_margin(std::string_view line) {
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  return line;
}

/// Takes an escape sequence off the front, whose ESC is gone already (ECMA-48: CSI, OSC, others).
void skip_escape(std::string_view& text) {
  if (text.empty()) return;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == '[') {
    while (!text.empty() && (text.front() < '@' || text.front() > '~')) {
      if (static_cast<unsigned char>(text.front()) < ' ') return;
      text.remove_prefix(1);
    }
    if (!text.empty()) text.remove_prefix(1);
  } else if (kind == ']') {
    const auto end = std::min(text.find_first_of("\a\x1b"), text.size());
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!text.empty() && text.front() == '\\') text.remove_prefix(1);
  }
}

/// Well-formed UTF-8 without control characters and escape sequences. Tabs stay: frames begin with them.
std::string legible(std::string_view line) {
  std::string text;
  while (!line.empty()) {
    const std::string_view before = line;
    const char32_t c = report::take_code_point(line);
    if (c == 0x1b)
      skip_escape(line);
    else if (c == 0xFFFD)
      text += "\uFFFD";
    else if (c == '\t' || (c >= 0x20 && (c < 0x7f || c > 0x9f)))
      text += before.substr(0, before.size() - line.size());
  }
  return text;
}

/// The lines as a terminal shows them: what a carriage return goes back over is gone.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(legible(line.substr(line.rfind('\r') + 1)));  // npos + 1 is 0
  }
  return lines;
}

/// At most `most` characters, an ellipsis among them if some were cut off.
std::string shortened(std::string_view text, std::size_t most) {
  std::string_view rest = text;
  std::string_view kept = text;
  for (std::size_t n = 0; n < most; ++n) {
    if (rest.empty()) return std::string(text);
    if (n + 1 == most) kept = text.substr(0, text.size() - rest.size());
    (void)report::take_code_point(rest);
  }
  return rest.empty() ? std::string(text) : std::string(kept) + "…";
}

std::size_t characters_in(std::string_view text) {
  std::size_t n = 0;
  for (; !text.empty(); ++n) (void)report::take_code_point(text);
  return n;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return std::isalpha(static_cast<unsigned char>(c)) != 0;
  const bool sign = c < 0xC0 || (c >= 0x2000 && c < 0x2E80) || (c >= 0x3000 && c < 0x3040) || c == 0xFFFD;
  return !sign;
}

bool has_letter(std::string_view line) {
  while (!line.empty())
    if (is_letter(report::take_code_point(line))) return true;
  return false;
}

bool has_figure(std::string_view line) {
  return std::ranges::any_of(line, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_indented(std::string_view line) {
  return !line.empty() && is_blank(line.front());
}

bool begins_with(std::string_view line, std::string_view what) {
  return without_margin(line).starts_with(what);
}

// ---- Python ----------------------------------------------------------------------

/// Columns before the trace: those of an exception group are drawn with a margin of '|' and '+'.
std::size_t margin_of(std::string_view header) {
  const auto at = std::min(header.find("Exception Group Traceback"), header.find("Traceback (most recent"));
  const bool drawn = header.substr(0, at).find_first_not_of(" |+") == std::string_view::npos;
  return drawn ? at : 0;
}

/// The error of the last traceback: of chained exceptions that is the one that got away.
std::string of_python(const std::vector<std::string>& lines) {
  auto at = lines.end();
  for (; at != lines.begin(); --at) {  // what is thrown while the interpreter ends is not why it ends
    const bool ignored = at - lines.begin() > 1 && std::prev(at, 2)->starts_with("Exception ignored");
    if (std::prev(at)->contains("Traceback (most recent call last)") && !ignored) break;
  }
  if (at == lines.begin()) {  // a SyntaxError has no header
    at = std::ranges::find_if(lines, [](const auto& line) { return line.starts_with("  File \""); });
    if (at == lines.end()) return {};
    ++at;
  }
  const std::size_t margin = margin_of(*std::prev(at));
  for (; at != lines.end(); ++at) {
    const std::string_view line = std::string_view(*at).substr(std::min(margin, at->size()));
    if (!line.empty() && !is_blank(line.front())) return std::string(without_margin(line));
  }
  return {};
}

// ---- Rust ------------------------------------------------------------------------

std::string of_rust(const std::vector<std::string>& lines) {
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (!line->starts_with("thread '") || !line->contains(" panicked at ")) continue;
    const bool told_below = line->ends_with(':') && std::next(line) != lines.end();
    return told_below ? *line + " " + std::string(without_margin(*std::next(line))) : *line;
  }
  return {};
}

// ---- Go --------------------------------------------------------------------------

std::string of_go(const std::vector<std::string>& lines) {
  const auto goroutine = std::ranges::find_if(
      lines, [](const std::string& line) { return line.starts_with("goroutine ") && line.ends_with(":"); });
  for (auto line = lines.begin(); line != goroutine; ++line)
    if (line->starts_with("panic: ") || (goroutine != lines.end() && line->starts_with("fatal error: ")))
      return *line;
  return {};
}

// ---- node, Java, .NET ---------------------------------------------------------------

/// "    at connect (net.js:1:2)", "\tat Main.main(Main.java:5)", "   at Program.Main()"
bool is_frame(std::string_view line) {
  return is_indented(line) && begins_with(line, "at ");
}

/// What the error that the trace is about was caused by: "Caused by: " of Java, "[cause]: " of node,
/// "---> " of .NET.
std::optional<std::string_view> cause_in(std::string_view line) {
  for (const std::string_view mark : {"Caused by: ", "[cause]: ", "---> "})
    if (begins_with(line, mark)) return without_margin(line).substr(mark.size());
  return std::nullopt;
}

std::string with_cause(std::string_view error, std::string_view cause) {
  constexpr std::string_view between = "; caused by: ";
  if (cause.empty()) return std::string(error);
  const std::string last = shortened(cause, longest_saying * 2 / 3);
  const std::size_t room = longest_saying - between.size() - characters_in(last);
  return shortened(error, room).append(between).append(last);
}

/// The line above the frames that begins the error, whose text may have several lines.
std::vector<std::string>::const_iterator head_of(const std::vector<std::string>& lines,
                                                 std::vector<std::string>::const_iterator frame) {
  const auto speaks = [](const std::string& line) {
    const auto colon = line.find(": ");
    const auto name = std::string_view(line).substr(0, colon);
    return !is_indented(line) && (name.contains("Error") || name.contains("xception"));
  };
  for (auto line = frame; line != lines.begin() && !without_margin(*std::prev(line)).empty();) {
    --line;
    if (speaks(*line) && !cause_in(*line)) return line;
  }
  return frame == lines.begin() ? frame : std::prev(frame);
}

/// The error of the last trace, and its last cause.
std::string of_frames(const std::vector<std::string>& lines) {
  std::string_view error, cause;
  bool in_trace = false;
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (const auto found = cause_in(*line); found && !error.empty()) {
      cause = *found;
    } else if (is_frame(*line)) {
      const auto head = in_trace ? lines.end() : head_of(lines, line);
      const bool new_error = head != lines.end() && head != line && !cause_in(*head) && !is_indented(*head);
      if (new_error) {
        error = *head;
        cause = {};
        for (auto between = head; between != line; ++between)
          if (const auto of_it = cause_in(*between)) cause = *of_it;
      }
    }
    in_trace = is_frame(*line) || (in_trace && (is_indented(*line) || cause_in(*line)));
  }
  constexpr std::string_view thread = "Exception in thread ";
  if (error.starts_with(thread)) {  // and its name, in quotes: there is not much room
    const auto name_end = error.find("\" ", thread.size() + 1);
    if (name_end != std::string_view::npos) error.remove_prefix(name_end + 2);
  }
  return with_cause(error, cause);
}

/// Rust's anyhow, and others: "Error: outer", "Caused by:", and an indented line a cause.
std::string of_causes(const std::vector<std::string>& lines) {
  const auto heading = std::ranges::find(lines, "Caused by:");
  const auto error = std::ranges::find_if(lines, has_letter);
  if (heading == lines.end() || error == heading) return {};
  std::string_view cause;
  for (auto line = std::next(heading); line != lines.end() && is_indented(*line); ++line)
    cause = without_margin(*line);
  const auto number_end = cause.find(": ");
  if (number_end != std::string_view::npos &&
      cause.substr(0, number_end).find_first_not_of("0123456789") == std::string_view::npos)
    cause.remove_prefix(number_end + 2);
  return with_cause(*error, cause);
}

// ---- anything else ---------------------------------------------------------------

bool speaks_of_failure(std::string_view line) {
  std::string small(line);
  std::ranges::transform(small, small.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array words{
      "error",     "fail",    "fatal",    "exception",   "panic",       "refused",     "reset",   "closed",
      "timed out", "timeout", "broken",   "unreachable", "lost",        "abort",       "cannot",  "can't",
      "could not", "unable",  "no route", "unexpected",  "empty reply", "end of file", "hung up", "gave up"};
  return std::ranges::any_of(words, [&](const char* word) { return small.contains(word); });
}

std::string of_lines(const std::vector<std::string>& lines) {
  const auto first = [&](auto&& fits) { return std::ranges::find_if(lines, fits); };
  auto found = first([](const auto& line) { return has_letter(line) && speaks_of_failure(line); });
  if (found == lines.end()) found = first(has_letter);
  if (found == lines.end()) found = first(has_figure);
  return found == lines.end() ? std::string() : std::string(without_margin(*found));
}

std::string saying_of(std::string_view text) {
  const std::vector<std::string> lines = lines_of(text);
  for (const auto way : {of_python, of_rust, of_go, of_frames, of_causes, of_lines})
    if (std::string found = way(lines); has_letter(found) || has_figure(found)) {
      std::ranges::replace(found, '\t', ' ');
      return shortened(without_margin(found), longest_saying);
    }
  return {};
}

}  // namespace

std::string telling_line(std::string_view errors, std::string_view output) {
  std::string says = saying_of(errors);
  return says.empty() ? saying_of(output) : says;
}

}  // namespace halfopen::judge
