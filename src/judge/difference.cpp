#include <fmt/format.h>

#include <algorithm>

#include "judge/last_words.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

/// Characters.
constexpr std::size_t longest_quote = 40;
constexpr std::size_t before_difference = 10;

/// Within quotes, with escapes for what cannot be seen.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  std::size_t count = 0;
  while (!text.empty() && count++ < longest_quote) {
    const std::string_view before = text;
    const char32_t c = report::take_code_point(text);
    const std::string_view bytes = before.substr(0, before.size() - text.size());
    const bool malformed = c == 0xFFFD && bytes.size() == 1;
    if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '"' || c == '\\')
      out.append("\\").append(bytes);
    else if (malformed || c < 0x20 || (c >= 0x7f && c <= 0x9f))
      for (const char byte : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    else
      out += bytes;
  }
  return out + (text.empty() ? "\"" : "…\"");
}

/// A quote of the line that shows the place `at`, where it differs.
std::string quoted_at(std::string_view line, std::size_t at) {
  if (at + before_difference < longest_quote) return quoted(line);
  std::size_t from = std::min(at, line.size()) - before_difference;
  const auto continues = [&] { return (static_cast<unsigned char>(line[from]) & 0xC0U) == 0x80U; };
  for (int i = 0; i < 3 && from > 0 && from < line.size() && continues(); ++i) --from;
  return "\"…" + quoted(line.substr(from)).substr(1);
}

std::string_view line_at(std::string_view text, std::size_t begin) {
  text.remove_prefix(begin);
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string difference(std::string_view usual, std::string_view now) {
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(usual, now).in1 - usual.begin());
  if (at == usual.size() && at == now.size()) return {};
  if (now.empty()) return fmt::format("it is empty where {} bytes are usual", usual.size());
  if (at == now.size()) return fmt::format("it ends after {} of {} bytes", now.size(), usual.size());
  if (usual.empty()) return fmt::format("it is {} where nothing is usual", quoted(line_at(now, 0)));
  if (at == usual.size())
    return fmt::format("it goes on after its usual {} bytes: {}", at, quoted(now.substr(at)));
  const std::string_view same = usual.substr(0, at);
  const std::size_t begin = same.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {} is {} where {} is usual", std::ranges::count(same, '\n') + 1,
                     quoted_at(line_at(now, begin), at - begin),
                     quoted_at(line_at(usual, begin), at - begin));
}

}  // namespace halfopen::judge
