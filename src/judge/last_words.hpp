#ifndef HALFOPEN_SRC_JUDGE_LAST_WORDS_HPP
#define HALFOPEN_SRC_JUDGE_LAST_WORDS_HPP

/// \file
/// What a program that has ended said of it, for a reader who has one line of room. Pure functions; the
/// texts may be any bytes. Thread-safe.

#include <string>
#include <string_view>

namespace halfopen::judge {

/// The line that says what happened, of the error output, else of the output: of a stack trace
/// (Python, node, Java, .NET, Go, Rust) the error and not the frames; of anything else the first line
/// that speaks of a failure, or the first one with words. UTF-8 without control characters, at most
/// 160 characters. Empty if neither text has a line with a letter or a figure.
[[nodiscard]] std::string telling_line(std::string_view errors, std::string_view output);

/// How the output `now` differs from the `usual` one: `line 2 is "null" where "1" is usual`,
/// "it ends after 12 of 24 bytes". Printable ASCII and UTF-8, some 150 characters at most. Empty if it
/// does not differ.
[[nodiscard]] std::string difference(std::string_view usual, std::string_view now);

}  // namespace halfopen::judge

#endif
