#include "cli/manual_pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace halfopen::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class of_a_program : public testing::Test {
 protected:
  CLI::App app{"Does things", "halfopen"};
  std::string who, name;
  bool loud = false;

  of_a_program() {
    CLI::App& verb = *app.add_subcommand("greet", "Says it's you: a\\b");
    verb.add_option("--who,-w", who, ".who is greeted: 'you' or [me]")->type_name("you|me|N");
    verb.add_option("--name", name, "of \"them\"")->type_name("NAME");
    verb.add_flag("--loud", loud, "shouts");
    verb.footer("One line.\n\nExamples:\n  halfopen greet --who me");
    app.add_subcommand("secret", "nobody's")->group("");
  }
};

TEST_F(of_a_program, every_verb_has_a_page_but_the_hidden) {
  const auto pages = manual_pages(app, "1.2");
  ASSERT_EQ(pages.size(), 2U);
  EXPECT_EQ(pages[0].name, "halfopen");
  EXPECT_THAT(pages[0].text, HasSubstr(".BR \"halfopen\\-greet\" (1)\nSays it's you: a\\eb\n"));
  EXPECT_EQ(pages[1].name, "halfopen-greet");
  EXPECT_THAT(pages[1].text, HasSubstr(".TH \"HALFOPEN\\-GREET\" 1 \"\" \"halfopen 1.2\"\n"));
}

TEST_F(of_a_program, no_text_of_an_option_is_a_request) {
  const std::string text = manual_pages(app, "1").at(1).text;
  EXPECT_THAT(text, HasSubstr(".B \"\\-w, \\-\\-who you|me|N\"\n\\&.who is greeted"));
  EXPECT_THAT(text, HasSubstr(".SH EXAMPLES\n.nf\n  halfopen greet \\-\\-who me\n.fi\n"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST_F(of_a_program, values_are_told_where_they_are_few) {
  const CLI::App& verb = *app.get_subcommand("greet");
  EXPECT_THAT(values_of(*verb.get_option("--who")), ElementsAre("you", "me"));
  EXPECT_THAT(values_of(*verb.get_option("--name")), IsEmpty());
  EXPECT_THAT(values_of(*verb.get_option("--loud")), IsEmpty());
}

TEST_F(of_a_program, each_shell_gets_its_own_quotes) {
  EXPECT_THAT(completion_for("bash", app),
              HasSubstr("greet,--who) mapfile -t COMPREPLY < <(compgen -W 'you me'"));
  EXPECT_THAT(completion_for("zsh", app),
              HasSubstr("'*--who[.who is greeted\\: '\\''you'\\'' or \\[me\\]]:value:(you me)'"));
  EXPECT_THAT(completion_for("fish", app),
              HasSubstr("-l who -x -a 'you me' -d '.who is greeted: \\'you\\' or [me]'"));
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(completion_for(shell, app), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace halfopen::cli
