// `halfopen explain`: what a word of a report means, at the place where one meets it, the terminal. Which
// words there are is said by glossary.cpp; here they are laid out.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/glossary.hpp"
#include "cli/verbs.hpp"
#include "report/terminal.hpp"
#include "report/wrap.hpp"

namespace halfopen::cli {
namespace {

constexpr std::size_t most_columns = 100;  // longer lines are hard to read
constexpr std::size_t least_indent = 9;    // as "causes   "

struct page {
  std::size_t width = std::min(report::terminal_width(STDOUT_FILENO), most_columns);
  bool colours = report::wants_colour(STDOUT_FILENO);

  [[nodiscard]] std::string title(std::string_view text) const {
    return colours ? report::painted(text, report::colour::bold) : std::string(text);
  }
  /// The label once, then the text beside it.
  void print(std::string_view label, std::string_view text, std::size_t indent) const {
    const std::size_t room = width > indent + 20 ? width - indent : 20;
    for (const std::string& line : report::wrap(text, room)) {
      fmt::print("{:<{}}{}\n", label, indent, line);
      label = "";
    }
  }
  void print(const meaning& m) const {
    for (const std::string& line : report::wrap(m.title, width)) fmt::print("{}\n", title(line));
    std::size_t indent = least_indent;
    for (const auto& [label, text] : m.fields) indent = std::max(indent, label.size() + 2);
    for (const auto& [label, text] : m.fields) print(label, text, indent);
    for (const std::string& other : m.see)
      for (const meaning& of_it : meanings_of(other)) {
        fmt::print("\n");
        print(of_it);
      }
  }
  void print(const kind& k) const {
    fmt::print("{}\n", title(k.heading));
    if (!k.one_line_each) {
      std::string names;
      for (const meaning& m : k.words) names.append(names.empty() ? "" : ", ").append(m.name);
      return print("", names, 2);
    }
    std::size_t indent = 0;
    for (const meaning& m : k.words) indent = std::max(indent, m.name.size() + 4);
    for (const meaning& m : k.words) {
      const std::string& text = m.fields.front().second;
      print("  " + m.name, text.substr(0, text.find(". ")).substr(0, text.find_last_not_of('.') + 1) + ".",
            indent);
    }
  }
};

int unknown(std::string_view name) {
  std::string text;
  for (const std::string& n : words_near(name)) text.append(text.empty() ? " Near it: " : ", ").append(n);
  // Shown as it was typed, but for what a terminal would take for an order.
  std::string shown(name.substr(0, 60));
  std::ranges::replace_if(shown, [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
  fmt::print(stderr,
             "halfopen explain: '{}' is no word of halfopen's reports, and no errno of this system.{}\n",
             shown, text.empty() ? "" : text + ".");
  fmt::print(stderr, "halfopen explain without a word lists them all.\n");
  return bad_arguments;
}

/// `explain not met` is one word, `explain EPIPE ECONNRESET` are two.
int run(const std::vector<std::string>& words) {
  const page paper;
  std::string together;
  for (const std::string& w : words) together += (together.empty() ? "" : " ") + w;
  std::vector<meaning> found = meanings_of(together);
  for (const std::string& w : found.empty() ? words : std::vector<std::string>{}) {
    auto some = meanings_of(w);
    if (some.empty()) return unknown(words.size() > 1 && words_near(w).empty() ? together : w);
    std::ranges::move(some, std::back_inserter(found));
  }
  for (const meaning& m : found) {
    if (&m != &found.front()) fmt::print("\n");
    paper.print(m);
  }
  return all_met;
}

void list_all() {
  const page paper;
  for (const kind& k : all_words()) {
    paper.print(k);
    fmt::print("\n");
  }
  fmt::print("More: halfopen explain peer_reset, or an errno: halfopen explain ECONNRESET\n");
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("explain", "What a word of a report means, and what to do");
  const auto words = std::make_shared<std::vector<std::string>>();
  const CLI::Option* given = verb.add_option(
      "WORD", *words,
      "an ending, an errno by name or number, a verdict, a case, a variant, or any other word of a report; "
      "without it all are listed");
  verb.footer(
      "Case, quotes, blanks, hyphens and underscores do not matter.\n"
      "Exit codes: 0 explained, 2 no such word.\n\nExamples:\n"
      "  halfopen explain                what words there are\n"
      "  halfopen explain ECONNRESET     all that the errno may mean\n"
      "  halfopen explain 110            the same by number (ETIMEDOUT)\n"
      "  halfopen explain peer_vanished\n"
      "  halfopen explain exit/6         a case of halfopen test\n"
      "  halfopen explain not applicable");
  verb.callback([words, given, &exit_code] {
    if (given->count() > 0) {
      exit_code = run(*words);
      return;
    }
    list_all();
    exit_code = all_met;
  });
}

}  // namespace halfopen::cli
