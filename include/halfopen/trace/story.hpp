#ifndef HALFOPEN_TRACE_STORY_HPP
#define HALFOPEN_TRACE_STORY_HPP

/// \file
/// From a connection's packets to its story: how it ended, who ended it, and
/// the packets that prove it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/trace/connection.hpp"

namespace halfopen::trace {

/// Who brought the end about, as far as the packets show.
enum class culprit : std::uint8_t { opener, responder, router, nobody, unknown };
[[nodiscard]] std::string_view to_string(culprit c) noexcept;

/// A connection's story. A value.
struct story {
  connection what;                 ///< endpoints, counts and marks
  bool ended = false;              ///< false: the capture stops with the connection still open
  ending how = ending::completed;  ///< meaningful only if ended
  culprit by = culprit::unknown;
  /// Other endings that the same packets would fit (a reset before accept looks
  /// like one after it; a reboot like the silent destruction of the socket).
  std::vector<ending> also_possible;
  std::string why;                   ///< one plain sentence with packet numbers
  std::vector<std::uint64_t> proof;  ///< numbers of the packets that prove it, ascending
  /// From when one side was gone until the other knew or the capture ended; ns.
  std::optional<std::chrono::nanoseconds> half_open_for;

  /// True if the packets allow that this was the ending.
  [[nodiscard]] bool could_be(ending e) const noexcept;
};

/// What the packets cannot show, and the teller may know.
struct story_hints {
  /// Payload bytes that the responder owed the opener in all. With it, a FIN
  /// after fewer is peer_closed and not completed; without it a request that
  /// got no byte of an answer counts as owed.
  std::optional<std::uint64_t> owed_by_responder{};
  /// When the capture stopped, if later than the last packet.
  std::optional<time_point> capture_end{};
};

/// Tells the story of one connection. Thread-safe.
[[nodiscard]] story tell(const connection& c, const story_hints& hints = {});

/// The story in a few plain lines: handshake, bytes each way, ending, proof.
[[nodiscard]] std::vector<std::string> describe(const story& s, const std::string& opener_name,
                                                const std::string& responder_name);

}  // namespace halfopen::trace

#endif
