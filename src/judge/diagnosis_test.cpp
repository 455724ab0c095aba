#include "judge/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using problem = baseline_problem;

constexpr open_port reachable{7000, false, false};
constexpr open_port inside{7000, false, true};
constexpr open_port datagrams{53, true, false};

lab::exit_status exit_with(int code) {
  return {code, 0, {}};
}

std::optional<problem> kind_of(const std::optional<no_baseline>& found) {
  return found ? std::optional(found->problem) : std::nullopt;
}

TEST(server_problem, none_where_it_listens) {
  server_start s;
  s.ports = {reachable};
  EXPECT_EQ(kind_of(problem_of(s)), std::nullopt);
  s.wanted = 7000;
  EXPECT_EQ(kind_of(problem_of(s)), std::nullopt);
  s.ports = {inside, {8000, false, false}};
  s.wanted.reset();
  EXPECT_EQ(kind_of(problem_of(s)), std::nullopt) << "another port is reachable";
}

TEST(server_problem, its_command) {
  server_start s;
  s.ended = exit_with(127);
  EXPECT_EQ(kind_of(problem_of(s)), problem::command_not_found);
  s.ended = exit_with(126);
  EXPECT_EQ(kind_of(problem_of(s)), problem::not_executable);
  s.ended = exit_with(1);
  EXPECT_EQ(kind_of(problem_of(s)), problem::server_ended);
  s.ended = lab::exit_status{0, SIGSEGV, {}};
  EXPECT_THAT(problem_of(s)->what(), HasSubstr("SIGSEGV"));
}

TEST(server_problem, a_server_that_goes_to_the_background_is_refused) {
  server_start s;
  s.ended = exit_with(0);
  s.others_live = true;
  s.ports = {reachable};
  EXPECT_EQ(kind_of(problem_of(s)), problem::goes_to_background);
  s.ports.clear();
  EXPECT_EQ(kind_of(problem_of(s)), problem::goes_to_background) << "it does not listen yet";
  s.others_live = false;
  EXPECT_EQ(kind_of(problem_of(s)), problem::server_ended);
}

TEST(server_problem, where_it_listens) {
  server_start s;
  s.waited = 30s;
  EXPECT_EQ(kind_of(problem_of(s)), problem::does_not_listen);
  s.ports = {inside};
  EXPECT_EQ(kind_of(problem_of(s)), problem::listens_on_loopback);
  s.ports = {datagrams};
  EXPECT_EQ(kind_of(problem_of(s)), problem::serves_udp_only);
  EXPECT_THAT(problem_of(s)->what(), HasSubstr("53"));
  s.wanted = 8000;
  s.ports = {reachable};
  EXPECT_EQ(kind_of(problem_of(s)), problem::listens_elsewhere);
  s.ports = {reachable, {8000, false, true}};
  EXPECT_EQ(kind_of(problem_of(s)), problem::listens_on_loopback) << "the port that was named is";
}

client_run well() {
  client_run r;
  r.ended = exit_with(0);
  r.attempts = {{7000, true, attempt::outcome::connected}};
  r.server_ports = {reachable};
  return r;
}

TEST(client_problem, none_where_it_did_well) {
  EXPECT_EQ(kind_of(problem_of(well())), std::nullopt);
}

TEST(client_problem, it_never_ends) {
  client_run r = well();
  r.ended.reset();
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_never_ends);
  r.stands_still = true;
  EXPECT_THAT(problem_of(r)->what(), HasSubstr("wait for each other"));
  r.attempts = {{7001, true, attempt::outcome::refused}};
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_was_refused) << "that is why";
}

TEST(client_problem, it_has_no_connection) {
  client_run r = well();
  r.attempts.clear();
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_never_connected);
  r.attempts = {{7001, true, attempt::outcome::refused}};
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_was_refused);
  EXPECT_THAT(problem_of(r)->what(), HasSubstr("7001"));
  EXPECT_THAT(problem_of(r)->what(), HasSubstr("listens on port 7000"));
  r.attempts = {{7000, false, attempt::outcome::unanswered}};
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_goes_elsewhere);
}

TEST(client_problem, it_fails) {
  client_run r = well();
  r.ended = exit_with(3);
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_failed);
  r.well_later = true;
  EXPECT_EQ(kind_of(problem_of(r)), problem::needs_ready);
  r.well_later = false;
  r.ended = lab::exit_status{0, SIGABRT, {}};
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_was_killed);
  r.ended = exit_with(127);
  EXPECT_EQ(kind_of(problem_of(r)), problem::client_failed) << "it connected, so it was found";
  r.attempts.clear();
  EXPECT_EQ(kind_of(problem_of(r)), problem::command_not_found);
}

TEST(client_problem, the_server_serves_one_client_only) {
  client_run r = well();
  r.server_ports.clear();
  r.server_ended = lab::exit_status{0, SIGPIPE, {}};
  EXPECT_EQ(kind_of(problem_of(r)), std::nullopt) << "this client did well";
  r.ended = exit_with(1);
  r.attempts = {{7000, true, attempt::outcome::refused}};
  EXPECT_EQ(kind_of(problem_of(r)), problem::server_ended);
  EXPECT_THAT(problem_of(r)->what(), HasSubstr("killed by SIGPIPE"));
  r.ended.reset();
  EXPECT_EQ(kind_of(problem_of(r)), problem::server_ended) << "it goes on trying";
  r.ended = exit_with(0);
  EXPECT_EQ(kind_of(problem_of(r)), problem::server_ended) << "it hides that nobody was there";
}

TEST(baseline_problem, each_has_a_name_that_is_read_back) {
  for (int i = 0; i <= static_cast<int>(problem::client_was_killed); ++i) {
    const auto p = static_cast<problem>(i);
    EXPECT_EQ(parse_baseline_problem(to_string(p)), p);
  }
  EXPECT_EQ(parse_baseline_problem("none"), std::nullopt);
  no_baseline e(problem::listens_on_loopback, "it listens inside", "let it out");
  e.errors = "words";
  const no_baseline back = no_baseline_of(json_of(e));
  EXPECT_EQ(back.problem, e.problem);
  EXPECT_STREQ(back.what(), e.what());
  EXPECT_EQ(back.hint, e.hint);
  EXPECT_EQ(back.errors, "words");
}

TEST(error_in_usual_output, is_found_where_a_program_says_error_and_exits_0) {
  EXPECT_EQ(error_in_usual_output("NOAUTH Authentication required.\n"), "NOAUTH Authentication required.");
  EXPECT_NE(error_in_usual_output("\n(error) ERR unknown command\n"), "");
  EXPECT_NE(error_in_usual_output("HTTP/1.1 503 Service Unavailable\r\n"), "");
  EXPECT_NE(error_in_usual_output("psql: error: connection failed"), "");
  EXPECT_EQ(error_in_usual_output("PONG\n"), "");
  EXPECT_EQ(error_in_usual_output("HTTP/1.1 200 OK\r\n"), "");
  EXPECT_EQ(error_in_usual_output("errors: 0\n"), "");
  EXPECT_EQ(error_in_usual_output(""), "");
}

TEST(hides_exit_status, of_a_pipe_only) {
  EXPECT_TRUE(hides_exit_status("curl -s http://server/ | wc"));
  EXPECT_FALSE(hides_exit_status("curl -s http://server/ || exit 3"));
  EXPECT_FALSE(hides_exit_status("grep 'a|b' \"c|d\" e\\|f"));
  EXPECT_FALSE(hides_exit_status("set -o pipefail; curl | wc"));
}

}  // namespace
}  // namespace halfopen::judge
