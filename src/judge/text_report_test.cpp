#include "judge/text_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <sstream>

#include "judge/result_samples.hpp"
#include "judge/system/outage_sentences.hpp"
#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

using samples::pair;
using samples::result;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

judgement several() {
  auto sentence = result("exit/1", verdict::pass, subject::server);
  sentence.happened =
      "a sentence of so many words that it does not fit into the room beside the verdict at all";
  auto warned = result("crash/1", verdict::warn);
  warned.cure = sentence.happened + "; " + sentence.happened;
  return pair("a", {sentence, warned, result("crash/2", verdict::fail),
                    result("format/1", verdict::inconclusive), result("future/1", verdict::pass)});
}

/// Lines that are wider, but for those that are to be copied.
std::vector<std::string> too_wide(const std::string& text, std::size_t width) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (report::display_width(line) > width && !line.starts_with("  repeat") &&
        !line.starts_with("  evidence"))
      found.push_back(line);
  return found;
}

/// What the shell makes of it.
std::string echoed(const std::string& word) {
  std::FILE* shell = ::popen(("printf %s. " + word).c_str(), "r");  // NOLINT: a shell is what is tested
  std::string text;
  std::array<char, 256> some{};
  for (std::size_t n = 0; (n = std::fread(some.data(), 1, some.size(), shell)) > 0;)
    text.append(some.data(), n);
  ::pclose(shell);
  text.pop_back();
  return text;
}

TEST(summary_table, fits_windows_of_80_and_140_columns) {
  for (const std::size_t width : {80U, 140U}) {
    const auto text = summary_table(several(), {.width = width}) + shortcomings(several(), {.width = width});
    EXPECT_THAT(too_wide(text, width), testing::IsEmpty()) << width;
  }
}

TEST(summary_table, the_worst_family_and_case_come_first) {
  for (const std::size_t width : {80U, 140U}) {
    const auto text = summary_table(several(), {.width = width});
    const std::array places{text.find("crash: "),  text.find("crash/2"), text.find("crash/1"),
                            text.find("format/1"), text.find("exit/1"),  text.find("future/1")};
    EXPECT_TRUE(std::ranges::is_sorted(places)) << text;
    EXPECT_NE(places.back(), std::string::npos);
  }
}

TEST(summary_table, what_was_done_is_shown_where_there_is_room) {
  EXPECT_THAT(summary_table(several(), {.width = 80}), Not(HasSubstr("a deed")));
  EXPECT_THAT(summary_table(several(), {.width = 140}), HasSubstr("a deed"));
}

/// A system whose ids are wide.
judgement of_a_system() {
  auto passed = samples::outage_of_db();
  passed.id = "outage/19@service-server";
  passed.verdict = verdict::pass;
  passed.happened =
      "every ask was served, and a sentence of so many words that it is wrapped in a narrow window";
  auto open = passed;
  open.id = "outage/4@app-db";
  open.verdict = verdict::inconclusive;
  return samples::system_of("s", {passed, samples::outage_of_db(), open});
}

TEST(summary_table, columns_follow_the_longest_id) {
  EXPECT_THAT(summary_table(of_a_system(), {.width = 100}),
              AllOf(HasSubstr("\n  outage/3@app-db          service fail          an outcome\n"),
                    HasSubstr("\n  outage/19@service-server service pass          every ask")));
  const std::string narrow = summary_table(of_a_system(), {.width = 80});
  EXPECT_THAT(narrow, HasSubstr("\n  outage/3@app-db          service fail\n      an outcome\n"))
      << "below, at full width";
  for (const std::size_t width : {60U, 80U, 100U, 120U, 150U, 200U}) {
    const auto text =
        summary_table(of_a_system(), {.width = width}) + shortcomings(of_a_system(), {.width = width});
    EXPECT_THAT(too_wide(text, width), testing::IsEmpty()) << width;
  }
}

TEST(summary_table, has_timelines_where_there_is_room) {
  const auto row = [](std::size_t width) { return summary_table(of_a_system(), {.width = width}); };
  EXPECT_THAT(row(149), Not(HasSubstr("timeline")));
  EXPECT_THAT(row(150), AllOf(HasSubstr("timeline"), HasSubstr("  |___HHHHHHH__|.._________-\n")));
  EXPECT_THAT(row(150), Not(HasSubstr(timeline_legend())))
      << "what is no pass is shown below, with the legend";
  judgement all_pass = of_a_system();
  for (case_result& r : all_pass.results) r.verdict = verdict::pass;
  EXPECT_THAT(summary_table(all_pass, {.width = 150}), HasSubstr(timeline_legend().substr(0, 40)));
  EXPECT_THAT(summary_table(several(), {.width = 200}), Not(HasSubstr("timeline")));
}

TEST(family_table, has_a_line_a_family_the_worst_first) {
  judgement j = several();
  j.results.push_back(result("exit/2", verdict::not_applicable));
  EXPECT_EQ(family_table(j, {.width = 80}),
            "family  cases                     what happens\n"
            "crash   1 warn, 1 fail            the peer's host is gone\n"
            "format  1 inconclusive            bytes\n"
            "exit    1 pass, 1 not applicable  the peer's process terminates\n"
            "others  1 pass\n");
  EXPECT_THAT(family_table(j, {.width = 80, .colours = true}), HasSubstr("\x1b[31m1 warn, 1 fail\x1b[0m"));
}

TEST(shortcomings, say_rule_deed_expectation_outcome_cure_and_command) {
  auto failed = result("exit/3", verdict::fail);
  failed.evidence = "/found/exit-3/packets.pcapng";
  EXPECT_EQ(shortcomings(pair("a", {failed}), {}),
            "exit/3 client: fail\n"
            "  rule        a rule (RFC 1)\n"
            "  done        a deed\n"
            "  expected    an expectation\n"
            "  happened    an outcome\n"
            "  change      a cure\n"
            "  evidence    /found/exit-3/packets.pcapng\n"
            "  repeat      halfopen test --server s --client c --case exit/3\n\n");
}

TEST(shortcomings, of_a_system_show_every_look_and_the_timeline_with_its_legend_once) {
  const std::string text = shortcomings(of_a_system(), {.width = 80});
  EXPECT_THAT(text, HasSubstr("outage/3@app-db service: fail\n"));
  EXPECT_THAT(text, HasSubstr("  during      fail: 1 ask hung\n"
                              "  after       pass: served again 120 ms after db was back\n"
                              "  timeline    |"));
  const auto legend = text.find(". served, r refused");
  ASSERT_NE(legend, std::string::npos);
  EXPECT_EQ(text.find(". served, r refused", legend + 1), std::string::npos) << text;
  EXPECT_THAT(shortcomings(several(), {.width = 80}), Not(HasSubstr("timeline")));
}

TEST(timeline_of, shows_asks_from_begin_to_end_by_their_worst) {
  const auto r = samples::outage_of_db();
  const std::string line = timeline_of(r.asks, *r.back_after, 42);
  EXPECT_EQ(line.size(), 42U);
  EXPECT_EQ(line, "|_____HHHHHHHHHHHH___|....______________--") << "on each side of the return from there on";
}

TEST(timeline_of, without_an_outage_has_one_side) {
  const std::vector<ask> asks{{probe_kind::probe, milliseconds(-5), milliseconds(50), ask_end::refused},
                              {probe_kind::health, milliseconds(5), milliseconds(50), ask_end::hung},
                              {probe_kind::probe, milliseconds(900), milliseconds(100), ask_end::served}};
  EXPECT_EQ(timeline_of(asks, milliseconds(0), 20), "|r_________________.");
  EXPECT_EQ(timeline_of({}, milliseconds(0), 0), "|___________");
}

TEST(shortcomings, leave_out_what_is_none) {
  EXPECT_EQ(shortcomings(
                pair("a", {result("exit/1", verdict::pass), result("exit/2", verdict::not_applicable)}), {}),
            "");
}

TEST(text_report, hostile_bytes_do_not_reach_the_terminal) {
  std::string text;
  for (const judgement& j : {samples::hostile_pair(), samples::hostile_system()}) {
    text += one_line(j.results.front());
    for (const std::size_t width : {80U, 140U, 160U})
      text += summary_table(j, {.width = width}) + shortcomings(j, {.width = width});
  }
  for (const unsigned char c : text) EXPECT_TRUE((c >= 0x20 && c != 0x7f) || c == '\n') << int{c};
}

TEST(text_report, colours_are_only_where_they_are_wanted) {
  EXPECT_THAT(summary_table(several(), {.width = 80, .colours = true}), HasSubstr("\x1b[31m"));
  EXPECT_THAT(summary_table(several(), {.width = 80}), Not(HasSubstr("\x1b")));
}

TEST(counts_in_words, names_what_there_is) {
  EXPECT_EQ(counts_in_words(several()), "2 pass, 1 warn, 1 fail, 1 inconclusive");
  EXPECT_EQ(counts_in_words(pair("a", {})), "no cases");
}

TEST(counts_in_words, an_interruption_comes_first) {
  using samples::interrupted_pair;
  EXPECT_EQ(counts_in_words(interrupted_pair("a", several().results, 59)),
            "interrupted: 5 of 59 cases were played: 2 pass, 1 warn, 1 fail, 1 inconclusive");
  EXPECT_EQ(counts_in_words(interrupted_pair("a", {}, 59)), "interrupted: 0 of 59 cases were played");
  EXPECT_EQ(interruption_in_words(interrupted_pair("a", several().results, 0)),
            "interrupted: 5 cases were played")
      << "whoever wrote the file did not know of how many";
  EXPECT_EQ(interruption_in_words(several()), "");
}

TEST(shell_quoted, plain_words_stay) {
  EXPECT_EQ(shell_quoted("./my-server"), "./my-server");
  EXPECT_EQ(shell_quoted("exit/6"), "exit/6");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
}

TEST(shell_quoted, the_shell_reads_the_same_word) {
  for (const std::string word :
       {"a b", "$HOME `id` \"x\" \\n", "it's", "*", "~", "#", "a\nb", "-x", "!", "\x1b[2J\x01\x7f tab\tend",
        "\xc3\xa9\xff", "(echo one; echo two) | nc server 7"}) {
    EXPECT_EQ(echoed(shell_quoted(word)), word);
    for (const unsigned char c : shell_quoted(word)) EXPECT_TRUE((c >= 0x20 && c != 0x7f) || c == '\n');
  }
}

}  // namespace
}  // namespace halfopen::judge
