#include "situation/reported.hpp"

#include <gmock/gmock.h>

#include <random>

namespace halfopen::situation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

report_line line(const char* connection, ending how, std::optional<ending> or_else = {},
                 std::optional<phase> when = {}) {
  return {connection, how, or_else, when};
}

TEST(reported, a_whole_line_of_each_program) {
  const std::string client =
      "call: server:7: peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET (Connection reset "
      "by "
      "peer); retry: unknown\n";
  EXPECT_THAT(
      reported_endings(client, "call"),
      ElementsAre(line("server:7", ending::peer_reset, ending::peer_rebooted, phase::awaiting_reply)));
  EXPECT_THAT(reported_endings(client, "serve"), IsEmpty());

  const std::string server =
      "serve: 10.0.0.1:40000: peer_closed while receiving_reply: read: end-of-file; retry: unknown\n";
  EXPECT_THAT(reported_endings(server, "serve"),
              ElementsAre(line("10.0.0.1:40000", ending::peer_closed, {}, phase::receiving_reply)));
}

TEST(reported, all_but_the_connection_and_the_ending_may_be_missing) {
  EXPECT_THAT(reported_endings("serve: [fd00::1]:40000: peer_reset: read: ECONNRESET\n", "serve"),
              ElementsAre(line("[fd00::1]:40000", ending::peer_reset)));
  EXPECT_THAT(
      reported_endings("call: server:7: completed while idle\ncall: server:8: refused\n", "call"),
      ElementsAre(line("server:7", ending::completed, {}, phase::idle), line("server:8", ending::refused)));
}

TEST(reported, lines_among_others_in_their_order) {
  const std::string output =
      "hello\n\ncall: stdin: an error\n"
      "call: a:1: refused while connecting: x\r\n"
      "serve: b:2: completed\n"
      "call: b:2: completed; retry: pointless\n";
  EXPECT_THAT(
      reported_endings(output, "call"),
      ElementsAre(line("a:1", ending::refused, {}, phase::connecting), line("b:2", ending::completed)));
}

TEST(reported, what_is_not_exactly_a_report_is_none) {
  for (const char* other : {
           "call: server:7: peer_resets while idle: x\n",        // no such ending
           "call: server:7: PEER_RESET while idle: x\n",         //
           "call: server:7: peer_reset2: x\n",                   //
           "call: server:7: peer_reset or: x\n",                 // half a choice
           "call: server:7: peer_reset or nobody while idle\n",  //
           "call: server:7: peer_reset while asleep: x\n",       // no such phase
           "call: server:7: peer_reset was not the reason\n",    // prose
           "call: server:7: failed while connecting: resolve\n",
           "call: accept: ECONNABORTED (Software caused connection abort)\n", "call: : peer_reset: x\n",
           "call: peer_reset: x\n", "callee: server:7: peer_reset: x\n", " call: server:7: peer_reset: x\n",
           "call: server:7: peer_reset",  // may go on: not finished
       })
    EXPECT_THAT(reported_endings(other, "call"), IsEmpty()) << other;
}

TEST(reported, any_output_is_survived) {
  const std::string whole = "call: server:7: peer_reset or peer_rebooted while idle: x\n";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_THAT(reported_endings(whole.substr(0, cut), "call"), IsEmpty()) << cut;
    (void)reported_endings(whole.substr(cut), "call");
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string mutated = whole + whole;
    for (int i = 0; i < 3; ++i) mutated[random() % mutated.size()] = static_cast<char>(random());
    EXPECT_LE(reported_endings(mutated, "call").size(), 5U);  // at most a line feed for each change
  }
  EXPECT_THAT(reported_endings(std::string(1 << 20, 'x') + "\n" + whole + std::string(1000, '\0'), "call"),
              ElementsAre(line("server:7", ending::peer_reset, ending::peer_rebooted, phase::idle)));
}

TEST(reported, in_words) {
  EXPECT_EQ(words_of(line("s", ending::peer_reset, ending::peer_rebooted)), "peer_reset or peer_rebooted");
  EXPECT_EQ(words_of(line("s", ending::completed)), "completed");
}

}  // namespace
}  // namespace halfopen::situation
