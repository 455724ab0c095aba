#ifndef HALFOPEN_SRC_PLAY_WORDS_HPP
#define HALFOPEN_SRC_PLAY_WORDS_HPP

#include <chrono>
#include <string>

namespace halfopen::play {

/// "SIGPIPE", or "signal 34" for one without a name.
[[nodiscard]] std::string signal_name(int number);

/// "exit 1", "killed by SIGPIPE", of a program that ended with this exit status and signal (0: none).
[[nodiscard]] std::string end_in_words(int code, int signal);

/// "200 ms", "2.1 s", "15 min 24 s", "2 h 12 min"
[[nodiscard]] std::string in_words(std::chrono::milliseconds d);

}  // namespace halfopen::play

#endif
