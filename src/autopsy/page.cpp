// A page for a browser, in one file: it is attached to a ticket, opened years later, and
// must not ask the network for anything.

#include <fmt/format.h>

#include <iterator>

#include "autopsy/filter.hpp"
#include "autopsy/report.hpp"

namespace halfopen::autopsy {
namespace {

using report::html_escaped;
using report::readable;
using trace::side;

constexpr const char* style =
    ":root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;max-width:1100px;margin:2em auto;"
    "padding:0 1em}table{border-collapse:collapse;width:100%;margin:1em "
    "0}th,td{text-align:left;vertical-align:top;"
    "padding:.35em .6em;border-bottom:1px solid #8884}th{font-weight:600}td.n{text-align:right;"
    "font-variant-numeric:tabular-nums}.bad{color:#e03131}.poor{color:#e8590c}.good{color:#2b8a3e}"
    "small{opacity:.75}section{margin:2.5em 0}";

const char* class_of(int badness) {
  return badness >= 75 ? "bad" : badness >= 30 ? "poor" : badness >= 5 ? "" : "good";
}

class page {
 public:
  page(const summary& all, const reading& r) : all_{all}, r_{r} {}

  std::string make(const std::string& title, std::span<const trace::file_entry> worst) {
    add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n"
        "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
        html_escaped(title), style);
    for (const std::string& line : remarks_on(r_)) add("<p>{}</p>\n", html_escaped(line));
    if (r_.error) add("<p class=\"bad\">The file is damaged {}</p>\n", html_escaped(r_.error->at_offset()));
    endings();
    connections(worst);
    for (const trace::file_entry& c : worst)
      if (!c.steps.empty()) portrait(c);
    out_ += "</body>\n</html>\n";
    return std::move(out_);
  }

 private:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
  }

  void endings() {
    out_ += "<table>\n<tr><th>ending</th><th>connections</th><th>longest half-open</th></tr>\n";
    for (const auto& [word, e] : all_.endings())
      add("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", html_escaped(word),
          e.connections, e.longest_half_open.count() > 0 ? readable(e.longest_half_open) : "");
    out_ += "</table>\n";
  }

  void connections(std::span<const trace::file_entry> worst) {
    add("<h2>Connections, the worst first</h2>\n<table>\n<tr><th>#</th><th>opener → "
        "responder</th><th>began</th>"
        "<th>bytes → ←</th><th>ended</th><th>half-open</th><th>why</th></tr>\n");
    for (const trace::file_entry& c : worst) row(c);
    out_ += "</table>\n";
    if (all_.connections() > worst.size())
      add("<p>{} of {} connections.</p>\n", worst.size(), all_.connections());
  }

  void row(const trace::file_entry& c) {
    const trace::story& s = c.story;
    const trace::connection& what = s.what;
    std::string how{ending_word(s)};
    if (s.ended) how += by_whom(s);
    const std::string number =
        c.steps.empty() ? fmt::format("{}", c.number) : fmt::format("<a href=\"#c{0}\">{0}</a>", c.number);
    add("<tr><td class=\"n\">{}</td><td>{} →<br>{}</td><td class=\"n\">{:.3f}</td><td class=\"n\">{} →<br>{} "
        "←</td>"
        "<td class=\"{}\">{}",
        number, html_escaped(what.opener.to_string()), html_escaped(what.responder.to_string()),
        std::chrono::duration<double>(r_.first ? what.first.when - *r_.first : std::chrono::nanoseconds{0})
            .count(),
        what.of(side::opener).bytes, what.of(side::responder).bytes, class_of(badness(s)), html_escaped(how));
    for (const ending e : s.also_possible) add("<br><small>or {}</small>", to_string(e));
    for (const auto& m : s.manners) add("<br><small>{}</small>", to_string(m.what));
    add("</td><td class=\"n\">{}</td><td>{}", s.half_open_for ? readable(*s.half_open_for) : "",
        html_escaped(s.why));
    for (const auto& d : s.doubts) add("<br><small>uncertain: {}</small>", html_escaped(d.why));
    out_ += "</td></tr>\n";
  }

  void portrait(const trace::file_entry& c) {
    add("<section id=\"c{}\">\n<h2>Connection {}</h2>\n", c.number, c.number);
    for (const std::string& line : trace::describe(c.story)) add("<p>{}</p>\n", html_escaped(line));
    out_ += report::to_svg(ladder_of(c, r_));
    out_ += "</section>\n";
  }

  const summary& all_;
  const reading& r_;
  std::string out_;
};

}  // namespace

std::string html_page(const std::string& title, const summary& all, std::span<const trace::file_entry> worst,
                      const reading& r) {
  return page{all, r}.make(title, worst);
}

}  // namespace halfopen::autopsy
