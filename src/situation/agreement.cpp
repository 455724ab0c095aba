// What was done is the truth: the lab did it. The packets and the programs agree if
// they allow it. They may be less sure (a reset may be a reboot to whoever sees the
// RST only), but they may not say something else.
//
// Except for the differences listed here, each with its reason: the words differ
// since the views do, and both are true. The list is short on purpose: what is
// wrongly in it hides a mistake, what is missing is only reported.

#include "situation/agreement.hpp"

#include <algorithm>
#include <array>

namespace halfopen::situation {
namespace {

enum class viewer : std::uint8_t { packets, program, anybody };

struct allowed_difference {
  ending done;
  ending said;
  viewer by;
  std::string_view because;
};

constexpr std::array allowed{
    allowed_difference{
        ending::shut_down, ending::completed, viewer::anybody,
        "only a program that is told to stop knows of it; it answers what it was asked and then "
        "closes, which is an orderly end"},
    allowed_difference{ending::peer_vanished, ending::deadline_passed, viewer::program,
                       "the program's own limit was shorter than the kernel's, and it claims nothing of its "
                       "peer but that it did not answer"},
};

opinion look_up(ending done, ending said, viewer by) {
  for (const allowed_difference& a : allowed)
    if (a.done == done && a.said == said && (a.by == by || a.by == viewer::anybody)) return {true, a.because};
  return {};
}

/// Adds to "peer_reset, completed" what is not yet in it.
void add(std::string& list, std::string_view words) {
  const std::string padded = ", " + list + ",";
  if (list.empty())
    list = words;
  else if (!padded.contains(", " + std::string(words) + ","))
    list += ", " + std::string(words);
}

void note(three_views& v, opinion o) {
  v.agree = v.agree && o.agrees;
  if (!o.because.empty() && std::ranges::find(v.because, o.because) == v.because.end())
    v.because.emplace_back(o.because);
}

std::string words_of(const trace::story& told) {
  if (!told.ended) return "not ended";
  std::string text(to_string(told.how));
  for (const ending e : told.also_possible) text += " or " + std::string(to_string(e));
  return text;
}

void hear(three_views& v, ending done, const testimony& t) {
  std::string& said = v.reported[t.who];
  for (const report_line& line : t.lines) {
    add(said, words_of(line));
    note(v, report_allows(done, line));
  }
  if (t.never_shown.empty()) {
    if (t.lines.empty()) add(said, "nothing");
    v.agree = v.agree && !t.lines.empty();
  } else {
    if (t.lines.empty()) add(said, "never shown to the program");
    note(v, {t.lines.empty(), t.never_shown});
  }
}

}  // namespace

opinion packets_allow(ending done, const trace::story& told) {
  if (told.could_be(done)) return {true, {}};
  return told.ended ? look_up(done, told.how, viewer::packets) : opinion{};
}

opinion report_allows(ending done, const report_line& said) {
  if (said.could_be(done)) return {true, {}};
  return look_up(done, said.how, viewer::program);
}

three_views compare(std::span<const connection_views> connections) {
  three_views v;
  v.agree = true;
  for (const connection_views& c : connections) {
    add(v.done, to_string(c.done));
    add(v.packets, words_of(c.packets));
    note(v, packets_allow(c.done, c.packets));
    for (const testimony& t : c.programs) hear(v, c.done, t);
    if (c.programs.empty()) v.agree = false;
  }
  if (connections.empty()) v.agree = false;
  return v;
}

std::string in_words(const three_views& v) {
  std::string text = "done " + v.done + ", the packets tell " + v.packets;
  for (const auto& [who, said] : v.reported) text += ", the " + who + " reported " + said;
  if (v.reported.empty()) text += ", no program was asked";
  return text;
}

}  // namespace halfopen::situation
