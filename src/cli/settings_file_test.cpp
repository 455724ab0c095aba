#include "cli/settings_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/repeat_command.hpp"

namespace halfopen::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// A verb like test, and a settings file for it.
class settings_file : public ::testing::Test {
 protected:
  settings_file() {
    char name[] = "/tmp/settings-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    verb_ = app_.add_subcommand("test");
    verb_->add_option("--server", server_);
    verb_->add_option("--limit", limit_)->check(CLI::Range(1.0, 3600.0).description(""));
    verb_->add_option("--port", port_);
    verb_->add_option("--skip", skip_);
    verb_->add_option("--settings", settings_);
    verb_->add_flag("--strict", strict_);
  }
  ~settings_file() override { std::filesystem::remove_all(folder_); }

  void say(std::vector<std::string> words) {
    std::ranges::reverse(words);
    app_.parse(words);
  }
  std::string file(const std::string& text) {
    const std::string path = folder_ / "s.toml";
    std::ofstream(path) << text;
    return path;
  }
  std::string problem(const std::string& text) {
    for (CLI::Option* option : verb_->get_options()) option->clear();
    try {
      read_settings(*verb_, file(text), "");
    } catch (const settings_error& e) {
      return e.what();
    }
    return "";
  }

  std::filesystem::path folder_;
  CLI::App app_;
  CLI::App* verb_ = nullptr;
  std::string server_, settings_;
  double limit_ = 20;
  std::uint16_t port_ = 0;
  std::vector<std::string> skip_;
  bool strict_ = false;
};

TEST_F(settings_file, every_kind_of_value_is_read) {
  say({"test"});
  read_settings(*verb_,
                file("server = \"a 'b' c\"\nlimit = 2.5\nport = 80\nskip = [\"idle\", \"crash/1\"]\n"
                     "strict = true\n"),
                "");
  EXPECT_EQ(server_, "a 'b' c");
  EXPECT_EQ(limit_, 2.5);
  EXPECT_EQ(port_, 80);
  EXPECT_THAT(skip_, ElementsAre("idle", "crash/1"));
  EXPECT_TRUE(strict_);
}

TEST_F(settings_file, a_date_is_read_as_the_command_line_has_it) {
  say({"test"});
  read_settings(*verb_, file("server = 2026-02-03"), "");
  EXPECT_EQ(server_, "2026-02-03");
}

TEST_F(settings_file, the_command_line_has_precedence) {
  say({"test", "--server", "mine", "--skip", "exit"});
  read_settings(*verb_, file("server = \"theirs\"\nskip = [\"idle\"]\nlimit = 5"), "");
  EXPECT_EQ(server_, "mine");
  EXPECT_THAT(skip_, ElementsAre("exit"));
  EXPECT_EQ(limit_, 5);
}

TEST_F(settings_file, an_unknown_key_is_refused_with_its_line) {
  say({"test"});
  EXPECT_THAT(problem("server = \"a\"\n\nnonsense = 1\n"),
              StartsWith(folder_.string() + "/s.toml:3: there is no "
                                            "option --nonsense"));
  EXPECT_THAT(problem("settings = \"other.toml\""), HasSubstr(":1: there is no option --settings"));
  EXPECT_THAT(problem("[server]\nport = 1\n"), HasSubstr(":1: expected a text"));
}

TEST_F(settings_file, a_value_that_the_option_does_not_take_is_refused_with_its_line) {
  say({"test"});
  EXPECT_THAT(problem("\nlimit = \"soon\""), HasSubstr("s.toml:2: "));
  EXPECT_THAT(problem("limit = 0.1"), HasSubstr("s.toml:1: "));
  EXPECT_THAT(problem("port = 99999"), HasSubstr("s.toml:1: "));
  EXPECT_THAT(problem("skip = [[\"a\"]]"), HasSubstr("a list has texts and numbers only"));
  EXPECT_THAT(problem("strict = \"perhaps\""), HasSubstr("s.toml:1: "));
}

TEST_F(settings_file, what_is_no_toml_is_refused_with_its_line) {
  say({"test"});
  EXPECT_THAT(problem("server = \"a\"\nlimit = = 1\n"), HasSubstr("s.toml:2: "));
}

TEST_F(settings_file, the_usual_file_may_be_missing_and_a_named_one_may_not) {
  say({"test"});
  read_settings(*verb_, "", folder_ / "missing.toml");
  EXPECT_THROW(read_settings(*verb_, folder_ / "missing.toml", ""), settings_error);
  EXPECT_THROW(read_settings(*verb_, folder_, ""), settings_error);
  read_settings(*verb_, "", file("limit = 3"));
  EXPECT_EQ(limit_, 3);
}

TEST_F(settings_file, the_command_that_repeats_has_what_came_from_either) {
  say({"test", "--server", "it's a server", "--skip", "exit", "idle"});
  read_settings(*verb_, file("limit = 5\nstrict = true\nport = 7"), "");
  EXPECT_EQ(repeat_command(*verb_, "./half open", {"skip"}),
            "'./half open' test --server 'it'\\''s a server' --limit 5 --port 7 --strict");
  EXPECT_THAT(repeat_command(*verb_, "halfopen", {}), HasSubstr("halfopen test --server"));
  EXPECT_THAT(repeat_command(*verb_, "halfopen", {}), HasSubstr("--skip exit idle"));
}

TEST_F(settings_file, a_flag_that_is_off_is_not_repeated) {
  say({"test"});
  read_settings(*verb_, file("strict = false"), "");
  EXPECT_EQ(repeat_command(*verb_, "halfopen", {}), "halfopen test");
}

}  // namespace
}  // namespace halfopen::cli
