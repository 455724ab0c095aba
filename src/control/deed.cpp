#include "control/deed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace halfopen::control {
namespace {

using kind = refusal::kind;

struct action_row {
  action what;
  std::string_view name;
  bool of_a_link;
  std::string_view more;  ///< words after the host or the link
  std::string_view does;
};

constexpr std::array rows{
    action_row{action::kill, "kill", false, "", "SIGKILL to its programs; its kernel says goodbye for them"},
    action_row{action::crash, "crash", false, "", "the host is gone at once: nothing answers any more"},
    action_row{action::start, "start", false, "",
               "its command again; a host that is down comes back first, without memory"},
    action_row{action::stop, "stop", false, "", "SIGTERM to its programs, 5 s later SIGKILL"},
    action_row{action::freeze, "freeze", false, "",
               "its programs stand still (SIGSTOP), and its kernel goes on acknowledging"},
    action_row{action::thaw, "thaw", false, "", "they go on (SIGCONT)"},
    action_row{action::reboot, "reboot", false, "", "it crashes, comes back without memory, and is started"},
    action_row{action::move, "move", false, " [back]",
               "its name gives the address of another host, with a fresh program; or its own again"},
    action_row{action::cut, "cut", true, " [after N bytes from HOST]",
               "nothing gets through, and nobody says so"},
    action_row{action::heal, "heal", true, "", "all gets through again"},
    action_row{action::unreachable, "unreachable", true, "", "cut, and a router says so (ICMP)"},
    action_row{action::reset, "reset", true, "", "each of its connections is reset (RST)"},
    action_row{action::forget, "forget", true, " [with reset]",
               "a middlebox has forgotten its connections: their packets are lost, or answered with RST"},
    action_row{action::delay, "delay", true, " TIME", "each packet takes that much longer: 200ms, 1.5s"},
    action_row{action::lose, "lose", true, " SHARE", "that share of its packets is lost: 5%"},
};

const action_row& row_of(action a) {
  return *std::ranges::find(rows, a, &action_row::what);
}

std::string all_hosts(const known_names& known) {
  return fmt::format("{}", fmt::join(known.hosts, ", "));
}

std::expected<std::string, refusal> read_host(const std::string& word, const known_names& known) {
  if (std::ranges::count(known.hosts, word) > 0) return word;
  return refuse(kind::unknown_host,
                fmt::format("there is no host '{}'; there are: {}", shown(word), all_hosts(known)));
}

/// Host names may have '-' in them.
std::expected<judge::link, refusal> read_link(const std::string& word, const known_names& known) {
  std::vector<judge::link> found;
  for (std::size_t dash = word.find('-'); dash != std::string::npos; dash = word.find('-', dash + 1)) {
    const judge::link l{word.substr(0, dash), word.substr(dash + 1)};
    if (l.from != l.to && std::ranges::count(known.hosts, l.from) > 0 &&
        std::ranges::count(known.hosts, l.to) > 0)
      found.push_back(l);
  }
  if (found.size() == 1) return found.front();
  for (const judge::link& l : known.links)
    if (std::ranges::count(found, l) > 0) return l;
  if (found.size() > 1)
    return refuse(kind::unknown_link,
                  fmt::format("'{}' may be the link of {} and {}, or of {} and {}", shown(word),
                              found[0].from, found[0].to, found[1].from, found[1].to));
  std::vector<std::string> names;
  for (const judge::link& l : known.links) names.push_back(l.name());
  return refuse(kind::unknown_link,
                fmt::format("there is no link '{}'; there are: {}; and those of any two hosts, as HOST-HOST, "
                            "of: {}",
                            shown(word), fmt::join(names, ", "), all_hosts(known)));
}

template <class Number>
std::optional<Number> read_number(std::string_view text) {
  Number n{};
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (why != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return n;
}

std::unexpected<refusal> usage(const action_row& row) {
  return refuse(kind::bad_request, fmt::format("usage: {} {}{}: {}", row.name,
                                               row.of_a_link ? "HOST-HOST" : "HOST", row.more, row.does));
}

/// The words after the host or the link.
std::expected<deed, refusal> read_rest(deed d, std::span<const std::string> words, const known_names& known) {
  const action_row& row = row_of(d.what);
  const auto are = [&](std::initializer_list<std::string_view> wanted) {
    return std::ranges::equal(words, wanted);
  };
  switch (d.what) {
    case action::delay:
      if (const auto by = words.size() == 1 ? read_duration(words[0]) : std::nullopt) return d.by = *by, d;
      return usage(row);
    case action::lose:
      if (const auto share = words.size() == 1 ? read_share(words[0]) : std::nullopt)
        return d.share = *share, d;
      return usage(row);
    case action::move:
      d.back = are({"back"});
      if (words.empty() || d.back) return d;
      return usage(row);
    case action::forget:
      d.with_reset = are({"with", "reset"});
      if (words.empty() || d.with_reset) return d;
      return usage(row);
    case action::cut: {
      if (words.empty()) return d;
      const bool fits =
          words.size() == 5 && words[0] == "after" && words[2].starts_with("byte") && words[3] == "from";
      const auto bytes = fits ? read_number<std::uint64_t>(words[1]) : std::nullopt;
      if (!bytes || *bytes == 0) return usage(row);
      const auto from = read_host(words[4], known);
      if (!from) return std::unexpected(from.error());
      if (*from != d.link.from && *from != d.link.to)
        return refuse(kind::unknown_host, fmt::format("host '{}' is no end of {}", *from, d.link.name()));
      d.after_bytes = *bytes;
      d.after_from = *from;
      return d;
    }
    default:
      return words.empty() ? std::expected<deed, refusal>(d) : usage(row);
  }
}

}  // namespace

std::string shown(std::string_view word) {
  constexpr std::size_t longest = 60;
  std::string made(word.substr(0, longest));
  for (char& c : made)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  return made + (word.size() > longest ? "..." : "");
}

std::unexpected<refusal> refuse(kind why, std::string says) {
  return std::unexpected(refusal{why, std::move(says)});
}

std::string_view to_string(refusal::kind k) noexcept {
  switch (k) {
    case kind::bad_request:
      return "bad_request";
    case kind::unknown_verb:
      return "unknown_verb";
    case kind::unknown_host:
      return "unknown_host";
    case kind::unknown_link:
      return "unknown_link";
    case kind::wrong_state:
      return "wrong_state";
    case kind::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_string(action a) noexcept {
  return row_of(a).name;
}
bool is_of_a_link(action a) noexcept {
  return row_of(a).of_a_link;
}

std::string actions_in_words() {
  std::string text;
  for (const action_row& row : rows)
    text += fmt::format("  {:<12}{:<11}{:<27} {}\n", row.name, row.of_a_link ? "HOST-HOST" : "HOST", row.more,
                        row.does);
  return text;
}

std::optional<milliseconds> read_duration(std::string_view text) {
  struct unit {
    std::string_view name;
    double ms;
  };
  constexpr std::array units{unit{"ms", 1}, unit{"min", 60'000}, unit{"s", 1000}, unit{"", 1000}};
  for (const unit& u : units) {
    if (!text.ends_with(u.name)) continue;
    const auto figure = read_number<double>(text.substr(0, text.size() - u.name.size()));
    constexpr double hour = 3'600'000;
    if (!figure || !std::isfinite(*figure) || *figure < 0 || *figure * u.ms > hour) return std::nullopt;
    return milliseconds(std::llround(*figure * u.ms));
  }
  return std::nullopt;
}

std::optional<double> read_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto figure = read_number<double>(percent ? text.substr(0, text.size() - 1) : text);
  if (!figure || !std::isfinite(*figure)) return std::nullopt;
  const double share = percent ? *figure / 100 : *figure;
  if (!(share >= 0 && share <= 1)) return std::nullopt;
  return share;
}

std::expected<deed, refusal> read_deed(std::span<const std::string> words, const known_names& known) {
  if (words.empty())
    return refuse(kind::bad_request, "nothing to do is named; there are:\n" + actions_in_words());
  const auto row = std::ranges::find(rows, std::string_view(words[0]), &action_row::name);
  if (row == rows.end())
    return refuse(kind::unknown_verb, fmt::format("'{}' is nothing that can be done; there are:\n{}",
                                                  shown(words[0]), actions_in_words()));
  if (words.size() < 2) return usage(*row);
  deed d;
  d.what = row->what;
  if (row->of_a_link) {
    auto l = read_link(words[1], known);
    if (!l) return std::unexpected(std::move(l.error()));
    d.link = std::move(*l);
  } else {
    auto h = read_host(words[1], known);
    if (!h) return std::unexpected(std::move(h.error()));
    d.host = std::move(*h);
  }
  return read_rest(std::move(d), words.subspan(2), known);
}

std::string in_words(const deed& d) {
  std::string text = fmt::format("{} {}", to_string(d.what), is_of_a_link(d.what) ? d.link.name() : d.host);
  if (d.what == action::delay) text += fmt::format(" {}ms", d.by.count());
  if (d.what == action::lose) text += fmt::format(" {}%", d.share * 100);
  if (d.after_bytes > 0) text += fmt::format(" after {} bytes from {}", d.after_bytes, d.after_from);
  if (d.back) text += " back";
  if (d.with_reset) text += " with reset";
  return text;
}

}  // namespace halfopen::control
