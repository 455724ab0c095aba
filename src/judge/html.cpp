// One page with everything in it: no script, no font, no picture from elsewhere, so it can be
// mailed, archived and printed. <details> folds what is long, and is open in print.

#include <fmt/format.h>

#include <algorithm>

#include "judge/case.hpp"
#include "judge/document.hpp"
#include "judge/html_ladder.hpp"
#include "report/ladder.hpp"

namespace halfopen::judge {
namespace {

using report::html_escaped;

constexpr const char* style = R"(
:root{color-scheme:light dark;--line:#8884;--dim:#888;--pass:#1a7f37;--warn:#b58900;--fail:#c62828;--inconclusive:#7b4fb5}
*{box-sizing:border-box}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:72rem}
h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.2rem;margin:2em 0 .5em}
.scroll{overflow-x:auto}
table{border-collapse:collapse}
td,th{border:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
th{font-weight:600}td.v{text-align:center;white-space:nowrap}
.pass{color:var(--pass)}.warn{color:var(--warn)}.fail{color:var(--fail);font-weight:700}
.inconclusive{color:var(--inconclusive)}.not-applicable{color:var(--dim)}
details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.4rem .7rem}
summary{cursor:pointer;overflow-wrap:anywhere}
summary b{display:inline-block;min-width:6.5rem}
dl{display:grid;grid-template-columns:7rem minmax(0,1fr);gap:.25rem .8rem;margin:.6rem 0}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);padding:.5rem;margin:.4rem 0;max-height:24rem;overflow-y:auto;font-size:.85rem}
.ladder{overflow-x:auto}.ladder svg{max-width:100%;height:auto;background:#fff;color:#000}
code{overflow-wrap:anywhere}
@media(max-width:40rem){body{padding:.5rem;font-size:15px}dl{grid-template-columns:1fr}dt{margin-top:.3rem}}
@media print{details{break-inside:avoid-page}pre{max-height:none}}
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

/// "pair-2-exit-6"
std::string anchor(std::size_t pair, const std::string& id) {
  std::string text = fmt::format("pair-{}-{}", pair + 1, id);
  std::ranges::replace(text, '/', '-');
  return html_escaped(text);
}

std::string matrix(std::span<const judgement> pairs) {
  std::string text = "<div class=scroll><table id=matrix>\n<tr><th>case<th>subject<th>what is done";
  for (const judgement& p : pairs) text += "<th>" + html_escaped(p.name);
  text += "\n";
  for (const family* f : catalogue())
    for (const judge_case& c : f->cases) {
      std::string cells;
      bool any = false;
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto r = std::ranges::find(pairs[i].results, c.id, &case_result::id);
        if (r == pairs[i].results.end()) {
          cells += "<td>";
          continue;
        }
        any = true;
        cells += fmt::format("<td class=v><a class={} href=\"#{}\">{}</a>", css_class(r->what),
                             anchor(i, r->id), sign_of(r->what));
      }
      if (any)
        text +=
            fmt::format("<tr><td>{}<td>{}<td>{}{}\n", c.id, to_string(c.who), html_escaped(c.done), cells);
    }
  return text + "</table></div>\n";
}

void field(std::string& text, const char* label, const std::string& value) {
  if (!value.empty()) text += fmt::format("<dt>{}<dd>{}\n", label, html_escaped(value));
}

std::string checks_of(const case_result& r) {
  std::string text = "<dt>checks<dd>";
  for (const check& c : r.checks)
    text += fmt::format("<span class={}>{}</span> {}{}<br>", c.holds ? "pass" : "fail",
                        c.holds ? "yes" : "NO", c.is_proof ? "proof: " : "", html_escaped(c.what));
  return r.checks.empty() ? std::string() : text + "\n";
}

std::string outputs_of(const case_result& r) {
  std::string text;
  for (const output& o : r.outputs)
    for (const auto& [name, words] : {std::pair("output", &o.out), std::pair("error output", &o.err)})
      if (!words->empty())
        text += fmt::format("<p>{} of the program on the {} host:<pre>{}</pre>\n", name,
                            html_escaped(o.program), html_escaped(*words));
  return text;
}

std::string section_of(const case_result& r, std::size_t pair) {
  const bool open = r.what == verdict::fail;
  std::string text = fmt::format(
      "<details id={} data-case=\"{}\" class=case{}><summary><b class={}>{}</b> {} {}: {}</summary>\n<dl>\n",
      anchor(pair, r.id), html_escaped(r.id), open ? " open" : "", css_class(r.what), sign_of(r.what),
      html_escaped(r.id), to_string(r.who), html_escaped(r.done));
  field(text, "rule", r.rule);
  field(text, "expected", r.expected);
  field(text, "happened", r.happened);
  field(text, "why not", r.reason);
  field(text, "length", r.length);
  field(text, "change", r.cure);
  text += checks_of(r);
  std::string story;
  for (const std::string& line : r.story) story += line + "\n";
  text += "</dl>\n";
  if (!story.empty()) text += "<pre class=story>" + html_escaped(story) + "</pre>\n";
  if (!r.packets.empty()) text += "<div class=ladder>" + report::to_svg(ladder_of(r)) + "</div>\n";
  return text + outputs_of(r) + "</details>\n";
}

std::string pair_section(const judgement& p, std::size_t index) {
  std::string text = fmt::format("<h2>{}</h2>\n<dl>\n", html_escaped(p.name));
  field(text, "server", p.server_command);
  field(text, "client", p.client_command);
  field(text, "clock", p.clock + ", IPv" + std::to_string(p.ip_version));
  field(text, "made", p.date + " by halfopen " + p.version);
  for (const std::string& remark : p.remarks) field(text, "note", remark);
  text += "</dl>\n";
  for (const case_result& r : p.results) text += section_of(r, index);
  return text;
}

}  // namespace

std::string to_html(std::span<const judgement> pairs) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width,initial-scale=1\">\n"
      "<title>halfopen test</title>\n<style>";
  text += style;
  text += report::ladder_style();
  text += "</style>\n<h1>What each program does when the other side dies</h1>\n";
  text += matrix(pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) text += pair_section(pairs[i], i);
  return text + "</html>\n";
}

}  // namespace halfopen::judge
