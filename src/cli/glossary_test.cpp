#include "cli/glossary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "halfopen/audit.hpp"
#include "halfopen/trace/story.hpp"
#include "judge/case.hpp"
#include "situation/catalogue.hpp"
#include "situation/result.hpp"

namespace halfopen::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> titles(std::string_view word) {
  std::vector<std::string> all;
  for (const meaning& m : meanings_of(word)) all.push_back(m.title);
  return all;
}

std::string field(const meaning& m, std::string_view label) {
  const auto found = std::ranges::find(m.fields, label, [](const auto& f) { return f.first; });
  return found == m.fields.end() ? std::string() : found->second;
}

TEST(glossary, every_word_that_is_listed_is_found_and_says_something) {
  std::set<std::string> headings;
  for (const kind& k : all_words()) {
    EXPECT_TRUE(headings.insert(k.heading).second) << k.heading;
    EXPECT_FALSE(k.words.empty()) << k.heading;
    for (const meaning& m : k.words) {
      EXPECT_THAT(titles(m.name), testing::Contains(m.title)) << m.name;
      ASSERT_FALSE(m.fields.empty()) << m.name;
      for (const auto& [label, text] : m.fields) EXPECT_NE(text, "") << m.name << ": " << label;
      for (const std::string& other : m.see) EXPECT_FALSE(meanings_of(other).empty()) << other;
    }
  }
}

template <class Word>
void expect_each() {
  int count = 0;
  for (;; ++count) {
    const std::string_view name = to_string(static_cast<Word>(count));
    if (name == "?") break;
    EXPECT_FALSE(meanings_of(name).empty()) << name;
  }
  EXPECT_GT(count, 2);
}

TEST(glossary, every_word_of_an_enumeration_is_there) {
  expect_each<ending>();
  expect_each<phase>();
  expect_each<retry>();
  expect_each<trace::culprit>();
  expect_each<trace::manner>();
  expect_each<trace::doubt>();
  expect_each<situation::verdict>();
  expect_each<judge::verdict>();
  expect_each<audit::wrong>();
}

TEST(glossary, every_case_says_what_is_done_why_and_what_is_expected) {
  std::size_t cases = 0;
  for (const judge::judge_case* c : judge::all_cases()) {
    const auto found = meanings_of(c->id);
    ASSERT_EQ(found.size(), 1U) << c->id;
    EXPECT_EQ(field(found[0], "done"), c->done);
    EXPECT_EQ(field(found[0], "rule"), c->rule);
    EXPECT_NE(field(found[0], "expected"), "");
    EXPECT_THAT(found[0].title, HasSubstr(judge::to_string(c->subject)));
    ++cases;
  }
  EXPECT_GE(cases, 60U);  // a loop over none would say nothing
}

TEST(glossary, every_variant_of_the_lab_is_there) {
  for (const situation::situation* s : situation::all_situations())
    for (const situation::variant& v : s->variants) {
      const auto found = meanings_of(std::string(s->name) + "/" + std::string(v.name));
      ASSERT_EQ(found.size(), 1U) << v.name;
      EXPECT_EQ(field(found[0], "done"), v.done);
    }
}

TEST(glossary, every_outcome_and_other_word_of_the_reports_is_there) {
  for (const char* word :
       {"unaffected",    "recovered", "reported", "crashed",     "hangs", "spins",  "tries again without end",
        "false success", "witness",   "stand-in", "baseline",    "naive", "robust", "open",
        "half-open",     "computed",  "measured", "interrupted", "kill",  "cut"})
    EXPECT_FALSE(meanings_of(word).empty()) << word;
}

TEST(glossary, a_word_may_mean_several_things) {
  EXPECT_THAT(titles("exit"),
              ElementsAre("exit (a situation of halfopen lab)", "exit (a family of cases of halfopen test)"));
  EXPECT_EQ(titles("crash").size(), 3U) << "and a loss of a torture";
  EXPECT_EQ(titles("unknown").size(), 2U) << "a retry, and who ended it";
  EXPECT_EQ(titles("inconclusive").size(), 2U) << "of the lab, and of the judge";
  EXPECT_THAT(titles("exit/rst-first"), ElementsAre("exit/rst-first (a variant of halfopen lab)"));
}

TEST(glossary, case_quotes_and_joints_do_not_matter) {
  for (const char* word :
       {"not applicable", "not_applicable", "NOT APPLICABLE", "'not applicable'", "\"not-applicable\"",
        "  not   applicable ", "`Not_Applicable`", "not applicable:"})
    EXPECT_EQ(titles(word), titles("not applicable")) << word;
  EXPECT_EQ(titles("not applicable").size(), 2U);
  EXPECT_EQ(titles("NOT MET").size(), 1U);
  EXPECT_EQ(titles("EXIT/6"), titles("exit/6"));
  EXPECT_EQ(titles("stand in"), titles("stand-in"));
}

TEST(glossary, an_errno_by_name_and_number_leads_to_its_endings) {
  for (const char* name : {"ECONNRESET", "econnreset", "104"}) {
    const auto found = meanings_of(name);
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_EQ(found[0].title, "ECONNRESET (104): Connection reset by peer");
    EXPECT_THAT(found[0].see, ElementsAre("peer_reset", "peer_rebooted", "aborted_before_accept"));
  }
  EXPECT_EQ(meanings_of("ENOSPC").size(), 1U) << "any errno of this system";
}

TEST(glossary, a_case_at_a_request_and_a_place_of_a_torture) {
  const auto at = meanings_of("exit/6@2");
  ASSERT_EQ(at.size(), 1U);
  EXPECT_EQ(at[0].name, "exit/6@2");
  EXPECT_THAT(field(at[0], "at"), HasSubstr("request 2"));
  EXPECT_THAT(field(meanings_of("exit/6@1@c2").at(0), "on"), HasSubstr("connection 2"));
  for (const char* name : {"kill-server@7", "torture/kill-server@7", "Kill_Server@7"}) {
    const auto found = meanings_of(name);
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_EQ(field(found[0], "done"), "the server is killed when packet 7 is on its way");
  }
  EXPECT_THAT(field(meanings_of("cut-server@b12").at(0), "done"), HasSubstr("12 bytes of the reply"));
  EXPECT_EQ(meanings_of("kill-server").size(), 1U) << "as a torture's heading has it";
  for (const char* none :
       {"exit/6@0", "exit/6@x", "exit/99", "exit/99@1", "kill-client@b3", "@", "@1", "7@7"})
    EXPECT_THAT(meanings_of(none), IsEmpty()) << none;
}

TEST(glossary, what_is_no_word_has_none) {
  for (const char* none : {"", " ", "''", "nonsense", "104x", "99999", "0", "-", "\x1b[2J", "?"})
    EXPECT_THAT(meanings_of(none), IsEmpty()) << none;
  EXPECT_THAT(meanings_of(std::string(5000, 'x')), IsEmpty());
}

TEST(words_near, are_those_that_were_meant_perhaps) {
  EXPECT_EQ(words_near("ECONRESET").front(), "ECONNRESET");
  EXPECT_EQ(words_near("peer_rest").front(), "peer_reset");
  EXPECT_EQ(words_near("exit/fn-first").front(), "exit/fin-first");
  EXPECT_EQ(words_near("aplicable").front(), "not applicable");
  EXPECT_LE(words_near("e").size(), 3U);
  EXPECT_THAT(words_near("qqqqqqqqqqqqqqqqqqqqqqqqqq"), IsEmpty());
  EXPECT_THAT(words_near(std::string(5000, 'x')), IsEmpty());
}

}  // namespace
}  // namespace halfopen::cli
