#include "judge/expected.hpp"

#include <fmt/format.h>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

std::string of_a_client(const judge_case& c, const pair& who) {
  const std::string either = "the usual output, or an exit other than 0, within " + in_words(who.limit);
  return c.id.starts_with("connect/") ? either : either + " of the fault";
}

std::string of_a_server(const judge_case& c, const pair& who) {
  const std::string_view family = c.id.substr(0, c.id.find('/'));
  if (family == "shutdown") return fmt::format("it ends within {} of SIGTERM", in_words(who.grace));
  const std::string lives = fmt::format(
      "the server lives, waits without burning the processor, answers the next client, and gives the dead "
      "connection back within {}",
      in_words(who.limit));
  if (c.id == "format/1" || c.id == "format/2") return "the usual reply; then " + lives;
  if (c.id == "format/3") return "two replies, or one and an orderly close; then " + lives;
  if (c.id == "overload/3" || c.id == "overload/4")
    return "the other clients are answered meanwhile; " + lives;
  return lives;
}

std::string checks_that_hold(const case_result& r) {
  std::string text;
  for (const check& c : r.checks)
    if (c.holds && !c.is_proof) text += (text.empty() ? "" : "; ") + c.what;
  return text;
}

}  // namespace

std::string usual_expectation(const judge_case& c, const pair& who) {
  return c.who == subject::client ? of_a_client(c, who) : of_a_server(c, who);
}

void complete(case_result& r, const judge_case& c, const pair& who) {
  if (r.expected.empty()) r.expected = usual_expectation(c, who);
  if (!r.happened.empty() || r.what != verdict::pass) return;
  r.happened = checks_that_hold(r);
  if (r.happened.empty()) r.happened = "as expected";
}

}  // namespace halfopen::judge
