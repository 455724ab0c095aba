#ifndef HALFOPEN_SRC_TRACE_CAPTURE_FILE_HPP
#define HALFOPEN_SRC_TRACE_CAPTURE_FILE_HPP

/// Where a capture's bytes come from: a file, the standard input, a file that grows;
/// packed by gzip or zstd, or not.

#include <expected>
#include <functional>
#include <string>

#include "halfopen/trace/capture.hpp"

namespace halfopen::trace {

struct open_options {
  /// At the end of a file: wait for more instead, until `waiting` says no. (A pipe ends
  /// when its last writer is gone.)
  bool follow = false;
  /// Called whenever there is nothing to read, at least every 200 ms; false ends the file.
  /// Without it a read waits as long as it takes.
  std::function<bool()> waiting{};
};

/// Opens a capture for a capture_reader; "-" is the standard input. Packed files are known
/// by their first bytes, whatever their names are. The error is a sentence with the name.
[[nodiscard]] std::expected<capture_reader::source, std::string> open_capture(const std::string& path,
                                                                              open_options options = {});

}  // namespace halfopen::trace

#endif
