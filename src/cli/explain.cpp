// `halfopen explain`: what an errno or an ending means, at the place where one meets it,
// the terminal. The texts are the library's (src/fate/explanations.cpp); here they are
// laid out, and a name that is not quite one gets the names that are near it.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/verbs.hpp"
#include "halfopen/fate.hpp"
#include "report/terminal.hpp"
#include "report/wrap.hpp"

namespace halfopen::cli {
namespace {

constexpr std::size_t most_columns = 100;  // longer lines are hard to read
constexpr std::size_t indent = 9;          // as "causes   "

struct page {
  std::size_t width = std::min(report::terminal_width(STDOUT_FILENO), most_columns);
  bool colours = report::wants_colour(STDOUT_FILENO);

  [[nodiscard]] std::string title(std::string_view text) const {
    return colours ? report::painted(text, report::colour::bold) : std::string(text);
  }
  /// The label once, then the text beside it.
  void print(std::string_view label, std::string_view text) const {
    const std::size_t room = width > indent + 20 ? width - indent : 20;
    for (const std::string& line : report::wrap(text, room)) {
      fmt::print("{:<{}}{}\n", label, indent, line);
      label = "";
    }
  }
  void print(ending e) const {
    const explanation x = explain(e);
    fmt::print("{}\n", title(x.name));
    print("means", x.means);
    print("causes", x.causes);
    print("do", x.advice);
  }
  void print(const errno_meaning& m) const {
    std::vector<ending> endings;
    for (const auto& e : m.endings)
      if (e) endings.push_back(*e);
    std::string names;
    for (const ending e : endings) names.append(names.empty() ? "" : ", or ").append(to_string(e));
    const std::string head =
        fmt::format("{} ({}): {}", strerrorname_np(m.error), m.error, strerrordesc_np(m.error));
    fmt::print("{}\n", title(head));
    if (endings.size() > 1) names += ", the likeliest first";
    print("may be", names);
    for (const ending e : endings) {
      fmt::print("\n");
      print(e);
    }
  }
  void print_all() const {
    for (const ending e : all_endings) {
      const explanation x = explain(e);
      fmt::print("{:<23}{}\n", x.name, x.means.substr(0, x.means.find('.') + 1));
    }
    fmt::print("\nMore: halfopen explain peer_reset, or an errno: halfopen explain ECONNRESET\n");
  }
};

std::string lower(std::string_view text) {
  std::string all(text);
  for (char& c : all)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return all;
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

/// Names that `name` may have been meant for, the nearest first.
std::vector<std::string> near(std::string_view name) {
  std::vector<std::pair<std::size_t, std::string>> found;
  const std::string given = lower(name.substr(0, 40));
  const auto consider = [&](std::string_view known) {
    const std::string other = lower(known);
    const bool part = given.size() >= 4 && other.contains(given);
    const std::size_t far = distance(given, other);
    if (part || far <= std::max<std::size_t>(1, given.size() / 3)) found.emplace_back(part ? 0 : far, known);
  };
  for (const ending e : all_endings) consider(to_string(e));
  for (int error = 1; error < 134; ++error)
    if (const char* known = strerrorname_np(error)) consider(known);
  std::ranges::stable_sort(found, {}, [](const auto& f) { return f.first; });
  std::vector<std::string> names;
  for (const auto& [far, known] : found)
    if (names.size() < 3) names.push_back(known);
  return names;
}

int unknown(std::string_view name) {
  std::string text;
  for (const std::string& n : near(name)) text.append(text.empty() ? " Near it: " : ", ").append(n);
  // Shown as it was typed, but for what a terminal would take for an order.
  std::string shown(name.substr(0, 60));
  std::ranges::replace_if(shown, [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
  fmt::print(stderr, "halfopen explain: '{}' is neither an ending nor an errno of this system.{}\n", shown,
             text.empty() ? "" : text + ".");
  fmt::print(stderr, "halfopen explain without a name lists the endings.\n");
  return bad_arguments;
}

int run(const std::string& name) {
  const page paper;
  if (const auto e = parse_ending(lower(name)))
    paper.print(*e);
  else if (const auto m = parse_errno(name))
    paper.print(*m);
  else
    return unknown(name);
  return all_met;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("explain", "What an errno or an ending means, and what to do");
  const auto name = std::make_shared<std::string>();
  const CLI::Option* given = verb.add_option(
      "NAME", *name, "An errno, by name or number, or an ending; without it all endings, a line each");
  verb.footer(
      "Exit codes: 0 explained, 2 no such name.\n\nExamples:\n"
      "  halfopen explain                what endings there are\n"
      "  halfopen explain ECONNRESET     all that the errno may mean\n"
      "  halfopen explain 110            the same by number (ETIMEDOUT)\n"
      "  halfopen explain peer_vanished");
  verb.callback([name, given, &exit_code] {
    if (given->count() > 0) {
      exit_code = run(*name);
      return;
    }
    page{}.print_all();
    exit_code = all_met;
  });
}

}  // namespace halfopen::cli
