#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "judge/document.hpp"
#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

using samples::pair;
using samples::result;
using testing::HasSubstr;

struct parsed {
  pugi::xml_document document;
  explicit parsed(const std::vector<judgement>& pairs, bool strict = false) {
    const auto read = document.load_string(to_junit(pairs, strict).c_str());
    EXPECT_TRUE(read) << read.description();
  }
  [[nodiscard]] pugi::xml_node suite() const { return document.child("testsuites").child("testsuite"); }
};

std::vector<judgement> one_of_each() {
  return {pair(
      "a", {result("exit/1", verdict::pass), result("exit/2", verdict::warn), result("exit/3", verdict::fail),
            result("exit/4", verdict::inconclusive), result("exit/5", verdict::not_applicable)})};
}

TEST(junit, each_verdict_has_its_element_and_is_counted) {
  const parsed p(one_of_each());
  EXPECT_STREQ(p.suite().attribute("tests").value(), "5");
  EXPECT_STREQ(p.suite().attribute("failures").value(), "1");
  EXPECT_STREQ(p.suite().attribute("errors").value(), "1");
  EXPECT_STREQ(p.suite().attribute("skipped").value(), "1");
  std::string elements;
  for (const auto node : p.suite().children("testcase"))
    elements += std::string(node.first_child().name()) + " ";
  EXPECT_EQ(elements, " system-out failure error skipped ");
}

TEST(junit, strictly_a_warning_is_a_failure) {
  const parsed p(one_of_each(), true);
  EXPECT_STREQ(p.suite().attribute("failures").value(), "2");
  EXPECT_TRUE(std::next(p.suite().begin())->child("failure"));
}

TEST(junit, a_failure_says_what_the_terminal_says) {
  const parsed p({pair("a", {result("exit/3", verdict::fail)})});
  const auto failure = p.suite().child("testcase").child("failure");
  EXPECT_STREQ(failure.attribute("message").value(), "an outcome");
  for (const char* words :
       {"rule: a rule (RFC 1)", "done: a deed", "expected: an expectation", "happened: an outcome",
        "change: a cure", "repeat: halfopen test --server s --client c --case exit/3"})
    EXPECT_THAT(failure.text().get(), HasSubstr(words));
}

TEST(junit, a_systems_failure_has_its_looks_and_its_suite_the_hosts) {
  const parsed p({samples::system_of("s", {samples::outage_of_db()})});
  std::string properties;
  for (const auto node : p.suite().child("properties").children("property"))
    properties += std::string(node.attribute("name").value()) + "=" + node.attribute("value").value() + "\n";
  EXPECT_EQ(properties,
            "host db=exec redis-server\nhost app=exec app db\nhost app needs=db\nprobe=curl app\n"
            "health=curl app/health\nother=curl app/static\n");
  EXPECT_STREQ(p.suite().first_child().name(), "properties") << "before the cases";
  EXPECT_STREQ(p.suite().child("testcase").attribute("classname").value(), "s.service");
  const std::string text = p.suite().child("testcase").child("failure").text().get();
  EXPECT_THAT(text,
              HasSubstr("\nduring: fail: 1 ask hung\nafter: pass: served again 120 ms after db was back\n"));
  EXPECT_THAT(text, HasSubstr("\ntimeline: |"));
  EXPECT_FALSE(parsed({pair("a", {})}).suite().child("properties"));
}

TEST(junit, a_suite_a_pair_and_times_in_seconds) {
  auto slow = samples::full();
  const parsed p({pair("a", {slow, slow}), pair("b", {})});
  EXPECT_STREQ(p.suite().attribute("time").value(), "5.000");
  EXPECT_STREQ(p.suite().child("testcase").attribute("time").value(), "2.500");
  EXPECT_STREQ(p.suite().next_sibling().attribute("name").value(), "b");
}

TEST(junit, hostile_bytes_become_harmless_xml) {
  const std::string text = to_junit({{samples::hostile_pair()}}, true);
  EXPECT_EQ(text.find("<script"), std::string::npos);
  EXPECT_EQ(text.find("\xef\xbf\xbe"), std::string::npos) << "U+FFFE is no character of XML";
  for (const unsigned char c : text) EXPECT_TRUE(c >= 0x20 || c == '\n') << int{c};
  EXPECT_EQ(to_junit({{samples::hostile_system()}}, true).find("<script"), std::string::npos);
  const parsed p({samples::hostile_pair()});
  EXPECT_THAT(p.suite().attribute("name").value(), HasSubstr("<script>alert(1)</script>"));
}

TEST(junit, an_interruption_is_a_test_that_is_an_error) {
  const parsed p({samples::interrupted_pair("a", {result("exit/1", verdict::pass)}, 59)});
  EXPECT_STREQ(p.suite().attribute("tests").value(), "2");
  EXPECT_STREQ(p.suite().attribute("errors").value(), "1");
  const auto last = p.suite().last_child();
  EXPECT_STREQ(last.attribute("name").value(), "interrupted");
  EXPECT_STREQ(last.child("error").attribute("message").value(), "interrupted: 1 of 59 cases were played");
}

}  // namespace
}  // namespace halfopen::judge
