#include "play/words.hpp"

#include <gtest/gtest.h>
#include <signal.h>

namespace halfopen::play {
namespace {

using namespace std::chrono_literals;

TEST(words, of_durations) {
  EXPECT_EQ(in_words(0ms), "0 ms");
  EXPECT_EQ(in_words(999ms), "999 ms");
  EXPECT_EQ(in_words(2100ms), "2.1 s");
  EXPECT_EQ(in_words(924'600ms), "15 min 25 s");
  EXPECT_EQ(in_words(7'920s), "2 h 12 min");
}

TEST(words, of_ends) {
  EXPECT_EQ(end_in_words(3, 0), "exit 3");
  EXPECT_EQ(end_in_words(0, SIGPIPE), "killed by SIGPIPE");
  EXPECT_EQ(signal_name(34), "signal 34");
}

}  // namespace
}  // namespace halfopen::play
