#ifndef HALFOPEN_SRC_AUTOPSY_FILTER_HPP
#define HALFOPEN_SRC_AUTOPSY_FILTER_HPP

/// Which connections are shown.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/trace/story_stream.hpp"

namespace halfopen::autopsy {

/// How a connection stands, in one word: its ending, or "open".
[[nodiscard]] std::string_view ending_word(const trace::story& s) noexcept;

/// "10.0.0.0/8", "fd00::1".
struct network {
  trace::ip_address base;
  unsigned bits = 0;

  [[nodiscard]] static std::optional<network> parse(std::string_view text);
  [[nodiscard]] bool contains(const trace::ip_address& a) const noexcept;
};

/// A time on the command line: "+12.5" counts from the capture's first packet,
/// "2024-05-01T12:00:00.5" is UTC.
struct moment {
  bool relative = false;
  trace::time_point when{};

  [[nodiscard]] static std::optional<moment> parse(std::string_view text);
  [[nodiscard]] trace::time_point from(trace::time_point begin) const noexcept {
    return relative ? begin + when.time_since_epoch() : when;
  }
};

/// A connection is shown if it meets every kind of condition that there is; of several of
/// one kind, one is enough.
struct filter {
  std::vector<network> addresses;      ///< of either side
  std::vector<std::uint16_t> ports;    ///< of either side
  std::vector<std::string> endings;    ///< ending, "open", manner or doubt; "x" finds what "could be" x too
  std::vector<std::uint64_t> numbers;  ///< of connections
  std::optional<moment> since, until;  ///< some packet of it lies between

  /// Takes a word for `endings`; false if it is none.
  [[nodiscard]] bool add_ending(std::string_view word);
  /// All words that add_ending() takes.
  [[nodiscard]] static std::vector<std::string> ending_words();

  [[nodiscard]] bool shows(const trace::file_entry& c, trace::time_point begin) const;
};

}  // namespace halfopen::autopsy

#endif
