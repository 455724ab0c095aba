// The JUnit XML that Jenkins, GitLab and GitHub's actions read. There is no standard; this is
// the part of it on which their readers agree (tests/junit.xsd).

#include <fmt/format.h>

#include <pugixml.hpp>
#include <sstream>

#include "judge/document.hpp"
#include "judge/system/outage_sentences.hpp"
#include "judge/text_report.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

/// XML 1.0 has no way to write most control characters, nor U+FFFE and U+FFFF (section 2.2).
std::string xml_text(const std::string& text) {
  std::string clean = report::clean(text, report::newlines::kept);
  for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
    for (auto at = clean.find(none); at != std::string::npos; at = clean.find(none, at))
      clean.replace(at, none.size(), "\xef\xbf\xbd");
  return clean;
}

constexpr std::size_t timeline_width = 72;  ///< characters

std::string details_of(const judgement& p, const case_result& r) {
  std::string text = "rule: " + r.rule + "\ndone: " + r.done + "\n";
  if (!r.expected.empty()) text += "expected: " + r.expected + "\n";
  text += "happened: " + what_happened(r) + "\n";
  if (!r.cure.empty()) text += "change: " + r.cure + "\n";
  for (const looked_at& l : r.looks)
    text += fmt::format("{}: {}: {}\n", to_string(l.at), to_string(l.verdict), l.words);
  if (!r.asks.empty())
    text += fmt::format("timeline: {}\n  {}\n",
                        timeline_of(r.asks, r.back_after.value_or(milliseconds::zero()), timeline_width),
                        timeline_legend());
  for (const check& c : r.checks)
    text += fmt::format("{} {}{}\n", c.holds ? "yes" : "NO ", c.is_proof ? "proof: " : "", play::in_words(c));
  if (const auto repeat = repeat_command(p, r); !repeat.empty()) text += "repeat: " + repeat + "\n";
  return text;
}

const char* element_for(verdict v, bool strict) {
  switch (v) {
    case verdict::fail:
      return "failure";
    case verdict::warn:
      return strict ? "failure" : nullptr;
    case verdict::inconclusive:
      return "error";
    case verdict::not_applicable:
      return "skipped";
    case verdict::pass:
      return nullptr;
  }
  return nullptr;
}

void add_case(pugi::xml_node suite, const judgement& p, const case_result& r, bool strict) {
  auto node = suite.append_child("testcase");
  node.append_attribute("name").set_value(xml_text(r.id + " " + r.done).c_str());
  node.append_attribute("classname")
      .set_value(xml_text(p.name + "." + std::string(to_string(r.subject))).c_str());
  node.append_attribute("time").set_value(
      fmt::format("{:.3f}", static_cast<double>(r.took.count()) / 1000).c_str());
  if (const char* element = element_for(r.verdict, strict)) {
    auto outcome = node.append_child(element);
    outcome.append_attribute("message").set_value(xml_text(what_happened(r)).c_str());
    if (r.verdict != verdict::not_applicable) {
      outcome.append_attribute("type").set_value(std::string(to_string(r.verdict)).c_str());
      outcome.text().set(xml_text(details_of(p, r)).c_str());
    }
  } else if (r.verdict == verdict::warn) {
    node.append_child("system-out").text().set(xml_text("warning\n" + details_of(p, r)).c_str());
  }
}

/// What was judged, of a system.
void add_properties(pugi::xml_node suite, const judgement& p) {
  if (p.hosts.empty()) return;
  auto properties = suite.append_child("properties");
  const auto add = [&](const std::string& name, const std::string& value) {
    if (value.empty()) return;
    auto node = properties.append_child("property");
    node.append_attribute("name").set_value(xml_text(name).c_str());
    node.append_attribute("value").set_value(xml_text(value).c_str());
  };
  for (const judged_host& h : p.hosts) {
    std::string needs;
    for (const std::string& needed : h.needs) needs += (needs.empty() ? "" : " ") + needed;
    add("host " + h.name, h.command);
    add("host " + h.name + " needs", needs);
  }
  add("probe", p.probe);
  add("health", p.health);
  add("other", p.other);
}

/// A suite that is not all there must not be green.
void add_interruption(pugi::xml_node suite, const judgement& p) {
  auto node = suite.append_child("testcase");
  node.append_attribute("name").set_value("interrupted");
  node.append_attribute("classname").set_value(xml_text(p.name).c_str());
  node.append_attribute("time").set_value("0.000");
  auto outcome = node.append_child("error");
  outcome.append_attribute("message").set_value(interruption_in_words(p).c_str());
  outcome.append_attribute("type").set_value("interrupted");
}

}  // namespace

std::string to_junit(std::span<const judgement> pairs, bool strict) {
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  auto suites = document.append_child("testsuites");
  for (const judgement& p : pairs) {
    auto suite = suites.append_child("testsuite");
    const auto failures = count(p.results, verdict::fail) + (strict ? count(p.results, verdict::warn) : 0);
    double seconds = 0;
    for (const case_result& r : p.results) seconds += static_cast<double>(r.took.count()) / 1000;
    const auto number = [&](const char* name, unsigned long long n) {
      suite.append_attribute(name).set_value(n);
    };
    const std::size_t interruptions = interruption_in_words(p).empty() ? 0 : 1;
    suite.append_attribute("name").set_value(xml_text(p.name).c_str());
    number("tests", p.results.size() + interruptions);
    number("failures", failures);
    number("errors", count(p.results, verdict::inconclusive) + interruptions);
    number("skipped", count(p.results, verdict::not_applicable));
    suite.append_attribute("time").set_value(fmt::format("{:.3f}", seconds).c_str());
    add_properties(suite, p);
    for (const case_result& r : p.results) add_case(suite, p, r, strict);
    if (interruptions > 0) add_interruption(suite, p);
  }
  std::ostringstream text;
  document.save(text, "  ", pugi::format_default, pugi::encoding_utf8);
  return text.str();
}

}  // namespace halfopen::judge
