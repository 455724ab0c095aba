// One page with everything in it: no script, no font, no picture from elsewhere, so it can be
// mailed, archived and printed. <details> folds what is long, and is open in print.
//
// Its first screen says what was judged, when and with which clock, how it came out, and shows the worst
// cases open; whoever reads no further knows what matters.
//
// Whatever a program under test or a report from elsewhere says is text: escaped, in quoted
// attributes, and no part of an id.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "judge/case.hpp"
#include "judge/document.hpp"
#include "judge/html_ladder.hpp"
#include "judge/html_style.hpp"
#include "judge/html_timeline.hpp"
#include "judge/sentences.hpp"
#include "judge/text_report.hpp"
#include "judge/worst.hpp"
#include "report/ladder.hpp"
#include "report/timeline.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

using report::html_escaped;

std::string css_class(verdict v) {
  return v == verdict::not_applicable ? "not-applicable" : std::string(to_string(v));
}

const char* sign_of(verdict v) {
  switch (v) {
    case verdict::pass:
      return "✓ pass";
    case verdict::warn:
      return "! warn";
    case verdict::fail:
      return "✗ FAIL";
    case verdict::inconclusive:
      return "? open";
    case verdict::not_applicable:
      return "–";
  }
  return "";
}

/// "pair-2-case-6", of places in the report: names may hold anything.
std::string anchor(std::size_t pair, std::size_t index) {
  return fmt::format("pair-{}-case-{}", pair + 1, index + 1);
}

/// Text that stands in <pre>: lines stay lines.
std::string escaped_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out += html_escaped(text.substr(0, end));
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// A row of the matrix.
struct line {
  std::string id, done;
  judge::subject subject{};
};

using known_ids = std::set<std::string, std::less<>>;

/// An outage is a case for each link: "outage/3@app-db".
void add_outages(std::vector<line>& lines, known_ids& known, std::span<const judgement> pairs,
                 std::string_view id) {
  const std::string begin = std::string(id) + "@";
  for (const judgement& p : pairs)
    for (const case_result& r : p.results)
      if (r.id.starts_with(begin) && known.insert(r.id).second) lines.push_back({r.id, r.done, r.subject});
}

/// What the pairs were judged by, in the catalogue's order; what this program does not know
/// comes last.
std::vector<std::pair<const family*, std::vector<line>>> rows_of(std::span<const judgement> pairs) {
  std::vector<std::pair<const family*, std::vector<line>>> groups;
  const auto any_has = [&](std::string_view id) {
    return std::ranges::any_of(
        pairs, [&](const judgement& p) { return std::ranges::count(p.results, id, &case_result::id) > 0; });
  };
  known_ids known;
  for (const family* f : catalogue()) {
    std::vector<line> lines;
    for (const judge_case& c : f->cases) {
      if (c.outage) add_outages(lines, known, pairs, c.id);
      known.emplace(c.id);
      if (any_has(c.id)) lines.push_back({std::string(c.id), std::string(c.done), c.subject});
    }
    if (!lines.empty()) groups.emplace_back(f, std::move(lines));
  }
  std::vector<line> others;
  for (const judgement& p : pairs)
    for (const case_result& r : p.results)
      if (known.insert(r.id).second) others.push_back({r.id, r.done, r.subject});
  if (!others.empty()) groups.emplace_back(nullptr, std::move(others));
  return groups;
}

std::string cell_of(const judgement& p, std::size_t pair, const std::string& id) {
  const auto r = std::ranges::find(p.results, id, &case_result::id);
  if (r == p.results.end()) return "<td class=\"v\"></td>";
  const auto index = static_cast<std::size_t>(r - p.results.begin());
  return fmt::format("<td class=\"v\"><a class=\"{}\" href=\"#{}\">{}</a></td>", css_class(r->verdict),
                     anchor(pair, index), sign_of(r->verdict));
}

std::string matrix(std::span<const judgement> pairs) {
  std::string text =
      "<h2 id=\"all\">All cases</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"all cases\"><table id=\"matrix\">\n<tr><th scope=\"col\" class=\"case\">case</th>";
  constexpr std::size_t longest_name = 40;  // the whole is over the pair's own part
  for (std::size_t i = 0; i < pairs.size(); ++i)
    text +=
        fmt::format("<th scope=\"col\" class=\"pair\"><a href=\"#pair-{}\">{}</a></th>", i + 1,
                    pairs.size() == 1 ? "verdict" : html_escaped(report::clip(pairs[i].name, longest_name)));
  text += "</tr>\n";
  for (const auto& [f, lines] : rows_of(pairs)) {
    const std::string title = f == nullptr ? "other cases" : fmt::format("{}: {}", f->name, f->title);
    text +=
        fmt::format("<tr class=\"family\"><th scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>\n",
                    pairs.size() + 1, html_escaped(title));
    for (const line& l : lines) {
      text += fmt::format(
          "<tr><th scope=\"row\" class=\"case\"><b>{}</b> <span class=\"who\">{}</span> <span "
          "class=\"done\">{}</span></th>",
          html_escaped(l.id), to_string(l.subject), html_escaped(l.done));
      for (std::size_t i = 0; i < pairs.size(); ++i) text += cell_of(pairs[i], i, l.id);
      text += "</tr>\n";
    }
  }
  return text + "</table></div>\n";
}

void field(std::string& text, const char* label, const std::string& value) {
  if (!value.empty()) text += fmt::format("<dt>{}<dd class=\"{}\">{}\n", label, label, html_escaped(value));
}

void command(std::string& text, const std::string& label, const std::string& value) {
  if (!value.empty()) text += fmt::format("<dt>{}<dd><code>{}</code>\n", label, html_escaped(value));
}

std::string checks_of(const case_result& r) {
  std::string text = "<dt>checks<dd>";
  for (const check& c : r.checks) {
    if (!c.is_proof && !r.looks.empty()) continue;  // they say it
    text += fmt::format("<span class=\"{}\">{}</span> {}{}<br>", c.holds ? "pass" : "fail",
                        c.holds ? "yes" : "NO", c.is_proof ? "proof: " : "", html_escaped(play::in_words(c)));
  }
  return r.checks.empty() ? std::string() : text + "\n";
}

std::string outputs_of(const case_result& r) {
  std::string text;
  for (const output& o : r.outputs)
    for (const auto& [name, words] : {std::pair("output", &o.out), std::pair("error output", &o.err)})
      if (!words->empty())
        text += fmt::format(
            "<p class=\"whose\">{} of the program on the {} host:</p><pre tabindex=\"0\">{}</pre>\n", name,
            html_escaped(o.program), escaped_lines(*words));
  return text;
}

/// What was looked at of a service, each with its verdict.
std::string looks_of(const case_result& r) {
  if (r.looks.empty()) return {};
  std::string text = "<table class=\"looks\">\n";
  for (const looked_at& l : r.looks)
    text += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"v {}\">{}</td><td>{}</td></tr>\n",
                        to_string(l.at), css_class(l.verdict), sign_of(l.verdict), html_escaped(l.words));
  return text + "</table>\n";
}

std::string timeline_box(const case_result& r) {
  if (r.asks.empty() && r.connections.empty()) return {};
  const report::timeline t = timeline_of(r);
  return "<div class=\"timeline-box\">" + report::to_svg(t) + report::to_html(t, timeline_keys()) +
         "</div>\n";
}

/// Two or three columns are as wide as a telephone; more are scrolled there.
std::string ladder_box(const case_result& r, const judgement& p) {
  if (r.packets.empty()) return {};
  const report::ladder l = ladder_of(r, p.hosts);
  constexpr int left = 106, more = 135;  // CSS pixels
  const int width = l.hosts.size() <= 2 ? 410 : left + 8 + more * static_cast<int>(l.hosts.size() - 1);
  return "<div class=\"ladder-box\" tabindex=\"0\" role=\"region\" aria-label=\"packets\">" +
         report::to_svg(l, {.width = width, .left = left, .with_style = false}) + "</div>\n";
}

/// What happened, and how long it would have been: the first lines below what was done.
std::string headline_of(const case_result& r) {
  std::string text = fmt::format("<p class=\"happened\">{}</p>\n", html_escaped(what_happened(r)));
  if (const auto outlook = outlook_in_words(r); !outlook.empty())
    text += fmt::format("<p class=\"outlook {}\">{}</p>\n", css_class(r.verdict), html_escaped(outlook));
  return text;
}

std::string facts_of(const judgement& p, const case_result& r) {
  std::string text = "<dl>\n";
  field(text, "rule", r.rule);
  field(text, "peer", std::string(peer_in_words(r)));
  field(text, "expected", r.expected);
  if (!r.reason.empty()) field(text, "happened", r.happened);  // else the headline says it
  field(text, "length", r.length_words);
  field(text, "change", r.cure);
  text += checks_of(r);
  command(text, "repeat", repeat_command(p, r));
  return text + "</dl>\n";
}

/// `whose`: the program's name, where the cases of several stand together.
std::string section_of(const judgement& p, case_place at, bool open, const std::string& whose = {}) {
  const case_result& r = p.results[at.index];
  std::string text = fmt::format(
      "<details id=\"{}\" data-case=\"{}\" class=\"case is-{}\"{}>"
      "<summary><b class=\"{}\">{}</b> <b>{}</b> <span class=\"who\">{}</span> {}{}</summary>\n",
      anchor(at.pair, at.index), html_escaped(r.id), css_class(r.verdict), open ? " open" : "",
      css_class(r.verdict), sign_of(r.verdict), html_escaped(r.id), to_string(r.subject),
      whose.empty() ? "" : fmt::format("<span class=\"whose\">{}</span>: ", html_escaped(whose)),
      html_escaped(r.done));
  text += headline_of(r) + timeline_box(r) + looks_of(r) + ladder_box(r, p) + facts_of(p, r);
  std::string story;
  for (const std::string& sentence : r.story) story += sentence + "\n";
  if (!story.empty())
    text += "<p class=\"whose\">what the packets tell:</p><pre tabindex=\"0\">" + escaped_lines(story) +
            "</pre>\n";
  return text + outputs_of(r) + "</details>\n";
}

/// Of several names only so much is told where they stand together.
std::string short_name(const judgement& p) {
  constexpr std::size_t longest = 40;
  return report::clip(p.name, longest);
}

constexpr std::size_t shown_open = 3;

std::string worst_section(std::span<const judgement> pairs, std::span<const case_place> worst) {
  std::size_t fails = 0, warns = 0;
  for (const judgement& p : pairs) {
    fails += count(p.results, verdict::fail);
    warns += count(p.results, verdict::warn);
  }
  if (worst.empty()) return "<p id=\"worst\">No case fails, and none warns.</p>\n";
  std::string text =
      fmt::format("<h2 id=\"worst\">{}</h2>\n<div class=\"worst\">\n",
                  fails + warns > worst.size()
                      ? fmt::format("The worst {} of {} that fail or warn", worst.size(), fails + warns)
                      : std::string("What fails or warns"));
  for (const case_place at : worst)
    text +=
        section_of(pairs[at.pair], at, true, pairs.size() > 1 ? short_name(pairs[at.pair]) : std::string());
  return text + "</div>\n";
}

/// "3 fail": how many cases came out so, in the verdict's colour.
std::string score_of(const judgement& p) {
  std::string text;
  for (const verdict v :
       {verdict::fail, verdict::warn, verdict::inconclusive, verdict::pass, verdict::not_applicable})
    if (const auto n = count(p.results, v); n > 0)
      text += fmt::format("<span class=\"{}\">{} {}</span> ", css_class(v), n, to_string(v));
  return text.empty() ? "no cases" : text;
}

std::string clock_of(const judgement& p) {
  return fmt::format("{} clock, IPv{}", p.clock, p.ip_version);
}

/// What was judged, when, with which clock, and how it came out.
std::string header_of(std::span<const judgement> pairs) {
  if (pairs.size() == 1) {
    const judgement& p = pairs.front();
    return fmt::format(
        "<h1>{}</h1>\n<p class=\"what\">What it does when the other side dies. Judged {} with the {} by "
        "halfopen "
        "{}.</p>\n<p class=\"score\">{}</p>\n",
        html_escaped(p.name), html_escaped(p.date), html_escaped(clock_of(p)), html_escaped(p.version),
        score_of(p));
  }
  std::string text = fmt::format(
      "<h1>What {} programs do when the other side dies</h1>\n<div class=\"scroll\" tabindex=\"0\" "
      "role=\"region\" "
      "aria-label=\"scores\"><table class=\"scores\">\n<tr><th scope=\"col\">judged</th><th "
      "scope=\"col\">score</th><th scope=\"col\">when, by which clock</th></tr>\n",
      pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i)
    text += fmt::format(
        "<tr><th scope=\"row\"><a href=\"#pair-{}\">{}</a></th><td class=\"score\">{}</td><td>{}, "
        "{}</td></tr>\n",
        i + 1, html_escaped(short_name(pairs[i])), score_of(pairs[i]), html_escaped(pairs[i].date),
        html_escaped(clock_of(pairs[i])));
  return text + "</table></div>\n";
}

std::string pair_section(const judgement& p, std::size_t pair, std::span<const case_place> above) {
  std::string text = fmt::format("<h2 id=\"pair-{}\">{}</h2>\n<dl>\n", pair + 1, html_escaped(p.name));
  command(text, "server", p.server_command);
  command(text, "client", p.client_command);
  for (const judged_host& h : p.hosts) command(text, html_escaped(h.name), h.command);
  command(text, "probe", p.probe);
  command(text, "health", p.health);
  command(text, "other", p.other);
  field(text, "result", counts_in_words(p));
  field(text, "clock", clock_of(p));
  field(text, "made", p.date + " by halfopen " + p.version);
  for (const std::string& remark : p.remarks) field(text, "note", remark);
  text += "</dl>\n";
  std::string elsewhere;
  for (const case_place at : above)
    if (at.pair == pair)
      elsewhere += fmt::format(" <a href=\"#{}\">{}</a>", anchor(pair, at.index),
                               html_escaped(p.results[at.index].id));
  if (!elsewhere.empty()) text += "<p class=\"dim\">At the top of the page:" + elsewhere + "</p>\n";
  for (std::size_t i = 0; i < p.results.size(); ++i)
    if (std::ranges::find(above, case_place{pair, i}) == above.end()) text += section_of(p, {pair, i}, false);
  return text;
}

std::string title_of(std::span<const judgement> pairs) {
  if (pairs.size() != 1) return fmt::format("{} programs: halfopen test", pairs.size());
  return html_escaped(short_name(pairs.front())) + ": halfopen test";
}

}  // namespace

std::string to_html(std::span<const judgement> pairs) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>" +
      title_of(pairs) + "</title>\n<style>";
  text += page_style();
  text += report::ladder_style();
  text += report::timeline_style();
  text +=
      "</style></head>\n<body><p class=\"skip\"><a href=\"#worst\">to what fails</a> <a href=\"#all\">to all "
      "cases</a></p>\n<main>\n";
  text += header_of(pairs);
  for (const judgement& p : pairs)
    if (!interruption_in_words(p).empty())
      text += fmt::format("<p class=\"interrupted\">{}: {}</p>\n", html_escaped(p.name),
                          interruption_in_words(p));
  const auto worst = worst_of(pairs, shown_open);
  text += worst_section(pairs, worst);
  text += matrix(pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) text += pair_section(pairs[i], i, worst);
  return text + "</main></body></html>\n";
}

}  // namespace halfopen::judge
