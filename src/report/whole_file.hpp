#ifndef HALFOPEN_REPORT_WHOLE_FILE_HPP
#define HALFOPEN_REPORT_WHOLE_FILE_HPP

/// \file
/// A report's file: there whole, or as it was before. Not thread-safe: signals are held back meanwhile.

#include <expected>
#include <string>
#include <string_view>

namespace halfopen::report {

/// The standard output, as the name of a report's file.
inline constexpr std::string_view standard_output = "-";

/// Whether a report can be written there, so far as can be told without making, opening or changing
/// anything. The error is a sentence with the path in it.
[[nodiscard]] std::expected<void, std::string> can_write_file(const std::string& path);

/// Writes the text to a file without a name, or with another one, in the same folder, which then takes
/// the file's place: whoever reads it, and a program that ends at any moment, finds the old report or
/// the new one. Modes are as usual (umask); an existing file keeps its mode, and its owner where that
/// is allowed; a symbolic link stays one.
///
/// Written in place instead: the standard output, what is no regular file (/dev/stdout, a FIFO), and
/// an existing file whose folder takes no other (a mount of a single file).
///
/// SIGINT, SIGTERM and SIGHUP come when it is done. The error is a sentence with the path in it.
[[nodiscard]] std::expected<void, std::string> write_whole_file(const std::string& path,
                                                                std::string_view text);

}  // namespace halfopen::report

#endif
