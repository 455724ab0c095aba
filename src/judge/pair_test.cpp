#include "judge/pair.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace halfopen::judge {
namespace {

TEST(shape_of, numbers_of_any_length_are_alike) {
  EXPECT_EQ(shape_of("took 12 ms, 3.5 s\n"), "took # ms, #.# s\n");
  EXPECT_EQ(shape_of("1234"), "#");
  EXPECT_EQ(shape_of("a1b22"), "a#b#");
  EXPECT_EQ(shape_of(""), "");
}

TEST(same_output, is_every_byte_if_it_never_varied) {
  baseline b;
  b.output = "pong 1\n";
  EXPECT_TRUE(b.same_output("pong 1\n"));
  EXPECT_FALSE(b.same_output("pong 2\n"));
  EXPECT_FALSE(b.same_output("pong 1"));
}

TEST(same_output, is_the_shape_if_it_varies) {
  baseline b;
  b.varies = true;
  b.same_shape = false;
  b.output = "took 12 ms\ndone\n";
  EXPECT_TRUE(b.same_output("took 90000 ms\ndone\n"));
  EXPECT_TRUE(b.same_output("late 12 ms\nover\n")) << "as many lines, and about as long";
  EXPECT_FALSE(b.same_output("took 12 ms\n")) << "a line is missing";
  EXPECT_FALSE(b.same_output("")) << "nothing is no output";
}

TEST(same_output, half_of_a_long_output_is_another_one) {
  baseline b;
  b.varies = true;
  b.same_shape = false;
  b.output = std::string(400, 'x') + "\n";
  EXPECT_TRUE(b.same_output(std::string(390, 'y') + "\n"));
  EXPECT_FALSE(b.same_output(std::string(200, 'y') + "\n"));
}

TEST(baseline, survives_json_with_any_bytes) {
  baseline b;
  b.said.port = 7;
  b.said.connections = {
      {{{speaker::client, std::string("\0\xff", 2), milliseconds(3)}}, speaker::server, true}};
  b.output = std::string("\xff\0\n", 3);
  b.varies = true;
  b.same_shape = false;
  b.took = milliseconds(12);
  b.start = milliseconds(34);
  b.reply = {5, 6};
  b.no_replay_to_server = "one";
  b.no_replay_to_client = "two";
  b.concurrent = false;
  const nlohmann::json once = b;
  const auto back = nlohmann::json::parse(once.dump()).get<baseline>();
  EXPECT_EQ(nlohmann::json(back), once);
  EXPECT_EQ(back.output, b.output);
  EXPECT_EQ(back.reply.most, 6U);
  EXPECT_FALSE(back.concurrent);
}

TEST(pair, commands_are_for_the_shell_and_a_terminal_is_given_by_script) {
  judge::pair who;
  who.server_command = "serve";
  who.client_command = "call | cat";
  who.environment = {"A=1"};
  EXPECT_EQ(server_program(who).argv, (std::vector<std::string>{"/bin/sh", "-c", "serve"}));
  EXPECT_EQ(client_program(who).argv, (std::vector<std::string>{"/bin/sh", "-c", "call | cat"}));
  EXPECT_EQ(client_program(who).environment, who.environment);
  who.terminal = true;
  EXPECT_EQ(client_program(who).argv.front(), "script");
  EXPECT_EQ(client_program(who).environment, (std::vector<std::string>{"A=1", "SHELL=/bin/sh"}));
  EXPECT_EQ(server_program(who).argv.front(), "/bin/sh");
}

}  // namespace
}  // namespace halfopen::judge
