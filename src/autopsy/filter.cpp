#include "autopsy/filter.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace halfopen::autopsy {
namespace {

using trace::doubt;
using trace::manner;

constexpr std::array all_manners{
    manner::never_answered,     manner::half_closed_long,  manner::middlebox_reset,
    manner::zero_window_stall,  manner::keepalive_failure, manner::unread_data,
    manner::simultaneous_close, manner::time_wait_reuse,   manner::connect_cancelled,
    manner::abortive_close,     manner::fin_unanswered,
};
constexpr std::array all_doubts{
    doubt::began_before,   doubt::one_direction,  doubt::missed_packets,
    doubt::captured_twice, doubt::still_open,     doubt::watch_given_up,
    doubt::forged_packets, doubt::time_backwards, doubt::unanswered,
};

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool means(const trace::story& s, std::string_view word) {
  if (ending_word(s) == word) return true;
  if (const auto e = parse_ending(word); e && s.could_be(*e)) return true;
  return std::ranges::any_of(s.manners, [&](const auto& m) { return to_string(m.what) == word; }) ||
         std::ranges::any_of(s.doubts, [&](const auto& d) { return to_string(d.what) == word; });
}

}  // namespace

std::string_view ending_word(const trace::story& s) noexcept {
  return s.ended ? to_string(s.how) : "open";
}

std::optional<network> network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = trace::ip_address::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const unsigned most = base->is_v6() ? 128 : 32;
  if (slash == std::string_view::npos) return network{*base, most};
  const auto bits = number<unsigned>(text.substr(slash + 1));
  if (!bits || *bits > most) return std::nullopt;
  return network{*base, *bits};
}

bool network::contains(const trace::ip_address& a) const noexcept {
  if (a.is_v6() != base.is_v6()) return false;
  const auto ours = base.bytes(), theirs = a.bytes();
  const std::size_t whole = bits / 8;
  if (!std::ranges::equal(ours.first(whole), theirs.first(whole))) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::byte>(0xFFU << (8 - bits % 8));
  return (ours[whole] & mask) == (theirs[whole] & mask);
}

std::optional<moment> moment::parse(std::string_view text) {
  using namespace std::chrono;
  const bool relative = text.starts_with('+');
  if (relative) {
    const auto seconds = number<double>(text.substr(1));
    if (!seconds || *seconds < 0 || *seconds > 1e9) return std::nullopt;
    return moment{true, trace::time_point{round<nanoseconds>(duration<double>{*seconds})}};
  }
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0;
  double second = 0;
  int used = 0;
  const std::string terminated{text};
  const int fields = std::sscanf(terminated.c_str(), "%4d-%2u-%2u%*1[T ]%2u:%2u:%lf%n", &year, &month, &day,
                                 &hour, &minute, &second, &used);
  const std::string_view rest = std::string_view{terminated}.substr(static_cast<std::size_t>(used));
  const year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (fields != 6 || !date.ok() || year < 1970 || year > 2100 || hour > 23 || minute > 59 || second < 0 ||
      second > 60 || !(rest.empty() || rest == "Z"))
    return std::nullopt;
  return moment{
      false, sys_days{date} + hours{hour} + minutes{minute} + round<nanoseconds>(duration<double>{second})};
}

std::vector<std::string> filter::ending_words() {
  std::vector<std::string> words{"open"};
  for (const ending e : all_endings) words.emplace_back(to_string(e));
  for (const manner m : all_manners) words.emplace_back(to_string(m));
  for (const doubt d : all_doubts) words.emplace_back(to_string(d));
  return words;
}

bool filter::add_ending(std::string_view word) {
  const auto words = ending_words();
  if (std::ranges::find(words, word) == words.end()) return false;
  endings.emplace_back(word);
  return true;
}

bool filter::shows(const trace::file_entry& c, trace::time_point begin) const {
  const trace::connection& what = c.story.what;
  const auto some = [](const auto& wanted, const auto& holds) {
    return wanted.empty() || std::ranges::any_of(wanted, holds);
  };
  return some(numbers, [&](std::uint64_t n) { return n == c.number; }) &&
         some(addresses,
              [&](const network& n) {
                return n.contains(what.opener.address) || n.contains(what.responder.address);
              }) &&
         some(ports, [&](std::uint16_t p) { return p == what.opener.port || p == what.responder.port; }) &&
         some(endings, [&](const std::string& word) { return means(c.story, word); }) &&
         (!since || what.last.when >= since->from(begin)) &&
         (!until || what.first.when <= until->from(begin));
}

}  // namespace halfopen::autopsy
