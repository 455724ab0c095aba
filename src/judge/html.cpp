// One page with everything in it: no script, no font, no picture from elsewhere, so it can be
// mailed, archived and printed. <details> folds what is long, and is open in print.
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
#include "judge/html_timeline.hpp"
#include "judge/sentences.hpp"
#include "judge/text_report.hpp"
#include "report/ladder.hpp"
#include "report/timeline.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

using report::html_escaped;

constexpr const char* style = R"(
:root{color-scheme:light dark;--line:#8886;--dim:#767676;--pass:#1a7f37;--warn:#946c00;--fail:#c62828;--inconclusive:#7b4fb5}
@media(prefers-color-scheme:dark){:root{--dim:#9a9a9a;--pass:#4ac26b;--warn:#e3b341;--fail:#ff7b72;--inconclusive:#c297ff}}
*{box-sizing:border-box}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:64rem}
h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.2rem;margin:2em 0 .5em;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
th{font-weight:600}th.pair{min-width:6rem;max-width:14rem;overflow-wrap:anywhere;font-size:.85rem}
tr.family th{padding-top:.9rem;border-bottom-width:2px}
td.v{white-space:nowrap;width:1%}
.who,.dim{color:var(--dim);font-size:.85rem}
.pass{color:var(--pass)}.warn{color:var(--warn)}.fail{color:var(--fail);font-weight:700}
.inconclusive{color:var(--inconclusive)}.not-applicable{color:var(--dim)}
details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.4rem .7rem}
details.is-fail{border-left:.3rem solid var(--fail)}
details:target{outline:2px solid var(--inconclusive)}
p.interrupted{border:2px solid var(--fail);border-radius:.4rem;padding:.4rem .7rem;font-weight:600;overflow-wrap:anywhere}
summary{cursor:pointer;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:6rem minmax(0,1fr);gap:.25rem .8rem;margin:.6rem 0}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
dd.change{font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);border-radius:.3rem;padding:.5rem;margin:.4rem 0;max-height:24rem;overflow-y:auto;font-size:.85rem}
p.whose{margin:.6rem 0 0;color:var(--dim)}
.ladder-box{overflow-x:auto;background:#fff;color:#000;border:1px solid var(--line);border-radius:.3rem;padding:.4rem;margin:.4rem 0}
.timeline-box{border:1px solid var(--line);border-radius:.3rem;padding:.4rem 0;margin:.4rem 0}
table.looks{margin:.4rem 0}table.looks th,table.looks td.v{width:1%;white-space:nowrap;padding-right:1rem}
.ladder-box svg{display:block;margin:0 auto}
code{overflow-wrap:anywhere;user-select:all}
@media(max-width:40rem){body{padding:.5rem;font-size:15px}details{padding:.4rem .5rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}}
@media print{
body{font-size:10pt;max-width:none}pre{max-height:none}a{color:inherit;text-decoration:none}
details::details-content{content-visibility:visible;display:block;block-size:auto}
summary,tr,dl,.timeline-box{break-inside:avoid}.ladder-box{overflow:visible;border:0;padding:0}.ladder-box svg{display:inline}summary{break-after:avoid}h2{break-after:avoid}
}
)";

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
  if (r == p.results.end()) return "<td class=\"v\">";
  const auto index = static_cast<std::size_t>(r - p.results.begin());
  return fmt::format("<td class=\"v\"><a class=\"{}\" href=\"#{}\">{}</a>", css_class(r->verdict),
                     anchor(pair, index), sign_of(r->verdict));
}

std::string matrix(std::span<const judgement> pairs) {
  std::string text = "<div class=\"scroll\"><table id=\"matrix\">\n<tr><th>case";
  constexpr std::size_t longest_name = 40;  // the whole is over the pair's own part
  for (std::size_t i = 0; i < pairs.size(); ++i)
    text +=
        fmt::format("<th class=\"pair\"><a href=\"#pair-{}\">{}</a>", i + 1,
                    pairs.size() == 1 ? "verdict" : html_escaped(report::clip(pairs[i].name, longest_name)));
  text += "\n";
  for (const auto& [f, lines] : rows_of(pairs)) {
    const std::string title = f == nullptr ? "other cases" : fmt::format("{}: {}", f->name, f->title);
    text +=
        fmt::format("<tr class=\"family\"><th colspan=\"{}\">{}\n", pairs.size() + 1, html_escaped(title));
    for (const line& l : lines) {
      text += fmt::format("<tr><td><b>{}</b> <span class=\"who\">{}</span> {}", html_escaped(l.id),
                          to_string(l.subject), html_escaped(l.done));
      for (std::size_t i = 0; i < pairs.size(); ++i) text += cell_of(pairs[i], i, l.id);
      text += "\n";
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
        text += fmt::format("<p class=\"whose\">{} of the program on the {} host:</p><pre>{}</pre>\n", name,
                            html_escaped(o.program), escaped_lines(*words));
  return text;
}

/// What was looked at of a service, each with its verdict.
std::string looks_of(const case_result& r) {
  if (r.looks.empty()) return {};
  std::string text = "<div class=\"scroll\"><table class=\"looks\">\n";
  for (const looked_at& l : r.looks)
    text += fmt::format("<tr><th>{}<td class=\"v {}\">{}<td>{}\n", to_string(l.at), css_class(l.verdict),
                        sign_of(l.verdict), html_escaped(l.words));
  return text + "</table></div>\n";
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
  return "<div class=\"ladder-box\">" +
         report::to_svg(l, {.width = width, .left = left, .with_style = false}) + "</div>\n";
}

std::string section_of(const judgement& p, std::size_t pair, std::size_t index) {
  const case_result& r = p.results[index];
  std::string text = fmt::format(
      "<details id=\"{}\" data-case=\"{}\" class=\"case is-{}\"{}>"
      "<summary><b class=\"{}\">{}</b> {} <span class=\"who\">{}</span> {}</summary>\n<dl>\n",
      anchor(pair, index), html_escaped(r.id), css_class(r.verdict),
      r.verdict == verdict::fail ? " open" : "", css_class(r.verdict), sign_of(r.verdict), html_escaped(r.id),
      to_string(r.subject), html_escaped(r.done));
  field(text, "rule", r.rule);
  field(text, "peer", std::string(peer_in_words(r)));
  field(text, "expected", r.expected);
  field(text, "happened", r.happened);
  field(text, "why", r.reason);
  field(text, "length", r.length_words);
  field(text, "change", r.cure);
  text += checks_of(r);
  command(text, "repeat", repeat_command(p, r));
  text += "</dl>\n";
  text += timeline_box(r) + looks_of(r) + ladder_box(r, p);
  std::string story;
  for (const std::string& sentence : r.story) story += sentence + "\n";
  if (!story.empty())
    text += "<p class=\"whose\">what the packets tell:</p><pre>" + escaped_lines(story) + "</pre>\n";
  return text + outputs_of(r) + "</details>\n";
}

std::string pair_section(const judgement& p, std::size_t pair) {
  std::string text = fmt::format("<h2 id=\"pair-{}\">{}</h2>\n<dl>\n", pair + 1, html_escaped(p.name));
  command(text, "server", p.server_command);
  command(text, "client", p.client_command);
  for (const judged_host& h : p.hosts) command(text, html_escaped(h.name), h.command);
  command(text, "probe", p.probe);
  command(text, "health", p.health);
  command(text, "other", p.other);
  field(text, "result", counts_in_words(p));
  field(text, "clock", p.clock + ", IPv" + std::to_string(p.ip_version));
  field(text, "made", p.date + " by halfopen " + p.version);
  for (const std::string& remark : p.remarks) field(text, "note", remark);
  text += "</dl>\n";
  for (std::size_t i = 0; i < p.results.size(); ++i) text += section_of(p, pair, i);
  return text;
}

}  // namespace

std::string to_html(std::span<const judgement> pairs) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n"
      "<title>halfopen test</title>\n<style>";
  text += style;
  text += report::ladder_style();
  text += report::timeline_style();
  text += "</style>\n<h1>What each program does when the other side dies</h1>\n";
  for (const judgement& p : pairs)
    if (!interruption_in_words(p).empty())
      text += fmt::format("<p class=\"interrupted\">{}: {}</p>\n", html_escaped(p.name),
                          interruption_in_words(p));
  text += matrix(pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) text += pair_section(pairs[i], i);
  return text + "</html>\n";
}

}  // namespace halfopen::judge
