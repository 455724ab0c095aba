#ifndef HALFOPEN_TRACE_STORY_HPP
#define HALFOPEN_TRACE_STORY_HPP

/// \file
/// From a connection's packets to its story: how it ended, who ended it, and
/// the packets that prove it.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/trace/connection.hpp"

namespace halfopen::trace {

/// Who brought the end about, as far as the packets show.
enum class culprit : std::uint8_t { opener, responder, router, middlebox, nobody, unknown };
[[nodiscard]] std::string_view to_string(culprit c) noexcept;
[[nodiscard]] explanation explain(culprit c) noexcept;

/// How much a conclusion rests on packets that have no other explanation.
enum class confidence : std::uint8_t {
  certain,   ///< the packets named have no other
  likely,    ///< they have one, which is rare
  possible,  ///< they have one that is as good
};
[[nodiscard]] std::string_view to_string(confidence c) noexcept;

/// What else the packets show of an end, finer than the ending. Several may hold, and some
/// of a connection that has not ended.
enum class manner : std::uint8_t {
  never_answered,      ///< nothing came in answer to the SYN
  half_closed_long,    ///< one side sent FIN, the other went on for a minute or more
  middlebox_reset,     ///< an RST that does not fit the host whose address it bears
  zero_window_stall,   ///< one side's receive window was closed when it ended, or is so still
  keepalive_failure,   ///< keepalive probes, and not data, found that the other side is gone
  unread_data,         ///< reset because data came that nobody would read any more
  simultaneous_close,  ///< both FINs were on their way at one time (RFC 9293 section 3.6, figure 13)
  time_wait_reuse,     ///< another connection took the four-tuple within a minute of this one's end
  connect_cancelled,   ///< the opener did not want the answer to its SYN any more
  abortive_close,      ///< RST where FIN would have done: all had been said and acknowledged
  fin_unanswered,      ///< a FIN was sent again and again, and never acknowledged
};
[[nodiscard]] std::string_view to_string(manner m) noexcept;
[[nodiscard]] explanation explain(manner m) noexcept;

/// Why a story is less than certain.
enum class doubt : std::uint8_t {
  began_before,    ///< no SYN: the capture begins in mid-connection, so some roles are guessed
  one_direction,   ///< nothing of one side was captured
  missed_packets,  ///< bytes were acknowledged that the capture does not hold
  captured_twice,  ///< the capture holds packets twice
  still_open,      ///< it had not ended when the capture stopped
  watch_given_up,  ///< no longer followed, see story_hints::watched
  forged_packets,  ///< an RST's author may not be the host that it names: other packets may be forged too
  time_backwards,  ///< its packets do not stand in the order of their times
  unanswered,      ///< repeats or probes without an answer, too few to conclude anything from
};
[[nodiscard]] std::string_view to_string(doubt d) noexcept;
[[nodiscard]] explanation explain(doubt d) noexcept;

/// A manner or a doubt, and the sentence with packet numbers that it rests on.
template <class What>
struct remark {
  What what{};
  std::string why;
};

/// What the two sides are called in a story's sentences. The texts have to live as long as the story.
struct side_names {
  std::string_view opener = "the opener", responder = "the responder";
  [[nodiscard]] std::string_view of(side s) const noexcept { return s == side::opener ? opener : responder; }
};

/// A connection's story. A value.
struct story {
  side_names names{};                        ///< in its sentences
  connection what;                           ///< endpoints, counts and marks
  bool ended = false;                        ///< false: the capture stops with the connection still open
  ending how = ending::completed;            ///< meaningful only if ended
  culprit by = culprit::unknown;             ///< the best guess, see sure_by
  confidence sure = confidence::certain;     ///< of `how`
  confidence sure_by = confidence::certain;  ///< of `by`
  /// Other endings that the same packets would fit (a reset before accept looks
  /// like one after it; a reboot like the silent destruction of the socket). If it has not ended:
  /// what the silence at its end may become.
  std::vector<ending> also_possible;
  std::string why;                   ///< one plain sentence with packet numbers
  std::vector<std::uint64_t> proof;  ///< numbers of the packets that prove it, ascending
  /// From when one side was gone until the other knew or the capture ended; ns.
  std::optional<std::chrono::nanoseconds> half_open_for;
  /// By side: the first packet from which it could know that the other would say no more
  /// (a FIN, an RST, an ICMP error that it heeds), or with which it says so itself.
  std::array<std::optional<mark>, 2> could_know;
  std::vector<remark<manner>> manners;
  std::vector<remark<doubt>> doubts;

  [[nodiscard]] bool has(manner m) const noexcept;
  [[nodiscard]] bool has(doubt d) const noexcept;

  /// True if the packets allow that this was the ending.
  [[nodiscard]] bool could_be(ending e) const noexcept;
};

/// Why a connection was followed no further.
enum class watched : std::uint8_t {
  to_the_end,  ///< of the capture, or until long after its own end
  until_idle,  ///< it had been silent for too long
  until_full,  ///< there were too many at one time, and it had been silent longest
};

/// What the packets cannot show, and the teller may know.
struct story_hints {
  side_names names{};
  /// Payload bytes that the responder owed the opener in all. With it, a FIN
  /// after fewer is peer_closed and not completed; without it a request that
  /// got no byte of an answer counts as owed.
  std::optional<std::uint64_t> owed_by_responder{};
  /// When the capture stopped, if later than the last packet.
  std::optional<time_point> capture_end{};
  /// Not a packet is missing from the capture, and none came after it: then one repeat that nobody
  /// answered is silence, since the answer was neither lost on its way here nor late.
  bool every_packet = false;
  watched until = watched::to_the_end;
  std::optional<mark> reused_at{};  ///< the SYN of the connection that has the four-tuple now
};

/// Tells the story of one connection. Thread-safe.
[[nodiscard]] story tell(const connection& c, const story_hints& hints = {});

/// The story in a few plain lines: handshake, bytes each way, ending, proof. The sides have the names with
/// which it was told.
[[nodiscard]] std::vector<std::string> describe(const story& s);

/// The word that Zeek would have for it in conn.log's conn_state: S0, S1, SF, REJ, S2, S3,
/// RSTO, RSTR, RSTOS0, RSTRH, SH, SHR or OTH. docs/autopsy.md holds the two against each other.
[[nodiscard]] std::string_view zeek_conn_state(const connection& c) noexcept;

}  // namespace halfopen::trace

#endif
