#ifndef HALFOPEN_SRC_PLAY_CAPTURE_HPP
#define HALFOPEN_SRC_PLAY_CAPTURE_HPP

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "halfopen/lab/experiment.hpp"
#include "report/pcapng.hpp"

namespace halfopen::play {

/// An experiment's packets in a file that Wireshark opens, with what was done as comments, or in none.
/// It has to outlive the experiment, whose last packets come when it ends. Not thread-safe.
class capture {
 public:
  /// An empty path: nothing is kept. Throws lab::error if the file cannot be made.
  capture(const std::filesystem::path& path, std::string_view title);

  /// Names the hosts, once they are there.
  void describe(const lab::experiment& lab);
  /// For lab::options::recorder. The file keeps its first failure until close().
  void take(const lab::record& r);
  /// The first failure, as a sentence.
  [[nodiscard]] std::optional<std::string> close();

 private:
  std::optional<report::pcapng_writer> file_;
};

}  // namespace halfopen::play

#endif
