#include "judge/expected.hpp"

#include <fmt/format.h>

#include "play/words.hpp"

namespace halfopen::judge {
namespace {

using play::in_words;

std::string of_a_client(const judge_case& c, const pair& programs) {
  const std::string either = "the usual output, or an exit other than 0, within " + in_words(programs.limit);
  const bool from_the_start = family_of(c.id) == &connect_family;  // there is no fault later on
  return from_the_start ? either : either + " of the fault";
}

std::string of_a_server(const judge_case& c, const pair& programs) {
  const std::string lives = fmt::format(
      "the server lives, waits without burning the processor, answers the next client, and gives the dead "
      "connection back within {}",
      in_words(programs.limit));
  switch (c.expects) {
    case expectation::ends_in_grace:
      return fmt::format("it ends within {} of SIGTERM", in_words(programs.grace));
    case expectation::whole_reply:
      return "the usual reply; then " + lives;
    case expectation::two_replies:
      return "two replies, or one and an orderly close; then " + lives;
    case expectation::others_answered:
      return "the other clients are answered meanwhile; " + lives;
    case expectation::usual:
      break;
  }
  return lives;
}

std::string of_a_service(milliseconds limit, milliseconds recover) {
  return fmt::format(
      "asks are served or refused within {} meanwhile, and it serves again within {} of the dependency's "
      "return, by itself",
      in_words(limit), in_words(recover));
}

std::string checks_that_hold(const case_result& r) {
  std::string text;
  for (const check& c : r.checks)
    if (c.holds && !c.is_proof) text += (text.empty() ? "" : "; ") + play::in_words(c);
  return text;
}

}  // namespace

std::string usual_expectation(const judge_case& c, const pair& programs) {
  if (!c.expected.empty()) return std::string(c.expected);
  if (c.subject == subject::service) return of_a_service(programs.limit, system{}.recover);
  return c.subject == subject::client ? of_a_client(c, programs) : of_a_server(c, programs);
}

void complete(case_result& r, const judge_case& c, const pair& programs) {
  if (r.expected.empty()) r.expected = usual_expectation(c, programs);
  if (!r.happened.empty() || r.verdict != verdict::pass) return;
  r.happened = checks_that_hold(r);
  if (r.happened.empty()) r.happened = "as expected";
}

void complete(case_result& r, const system& what) {
  if (r.expected.empty()) r.expected = of_a_service(what.limit, what.recover);
  if (r.happened.empty() && r.verdict == verdict::pass) r.happened = "as expected";
}

}  // namespace halfopen::judge
