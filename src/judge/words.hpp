#ifndef HALFOPEN_SRC_JUDGE_WORDS_HPP
#define HALFOPEN_SRC_JUDGE_WORDS_HPP

#include <chrono>
#include <string>

#include "halfopen/lab/process.hpp"

namespace halfopen::judge {

using std::chrono::milliseconds;

/// The signal that ended a program, told directly or through a shell's exit status (128 + N,
/// only of signals that no program exits with on purpose); 0 if none.
[[nodiscard]] int deadly_signal(const lab::exit_status& end) noexcept;

[[nodiscard]] std::string signal_name(int number);

/// "15 min 24 s", "2.1 s", "200 ms"
[[nodiscard]] std::string in_words(milliseconds d);

}  // namespace halfopen::judge

#endif
