#ifndef HALFOPEN_TRACE_CONNECTION_HPP
#define HALFOPEN_TRACE_CONNECTION_HPP

/// \file
/// From packets to connections: what each side has said so far, kept up to
/// date packet by packet, in constant memory a connection.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::trace {

/// The two ends of a connection: who sent the SYN, and who answered it.
enum class side : std::uint8_t { opener, responder };
[[nodiscard]] constexpr side other(side s) noexcept {
  return s == side::opener ? side::responder : side::opener;
}

/// The two kinds of RST (Linux net/ipv4/tcp_output.c tcp_send_active_reset,
/// net/ipv4/tcp_ipv4.c tcp_v4_send_reset).
enum class reset_kind : std::uint8_t {
  live_socket,  ///< RST+ACK with the sender's own next sequence number: a socket was aborted
  no_socket,    ///< bare RST, sequence = the offending segment's ACK: there was no such socket
  to_syn,       ///< RST+ACK in answer to a SYN: nobody listens
};

/// A packet that mattered, to quote as proof.
struct mark {
  std::uint64_t number = 0;
  time_point when{};
};

/// A mark or none, in the room of a mark: a connection has some forty of them, and a capture a million
/// connections. Used as std::optional<mark> is, and becomes one where that is asked for.
class optional_mark {
 public:
  constexpr optional_mark() noexcept = default;
  constexpr optional_mark(std::nullopt_t) noexcept {}
  constexpr optional_mark(const mark& m) noexcept : mark_{m} {}
  constexpr optional_mark(const std::optional<mark>& m) noexcept : mark_{m.value_or(mark{none, {}})} {}
  constexpr operator std::optional<mark>() const noexcept {
    return has_value() ? std::optional{mark_} : std::nullopt;
  }

  [[nodiscard]] constexpr bool has_value() const noexcept { return mark_.number != none; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] constexpr const mark& operator*() const noexcept { return mark_; }
  [[nodiscard]] constexpr const mark* operator->() const noexcept { return &mark_; }
  constexpr void reset() noexcept { mark_ = {none, {}}; }
  [[nodiscard]] friend constexpr bool operator==(const optional_mark& m, std::nullopt_t) noexcept {
    return !m.has_value();
  }

 private:
  static constexpr std::uint64_t none = UINT64_MAX;  // the number of no packet
  mark mark_{none, {}};
};

/// The longest time between two segments with new bytes of one side, while the other said nothing.
struct pause {
  /// What the side was waiting for, as far as packets show it.
  enum class reason : std::uint8_t {
    itself,           ///< all that it had said was acknowledged, the window was open: nobody held it up
    acknowledgement,  ///< bytes of it were still on their way, or lost
    window,           ///< the other side's receive window was closed
  };
  std::chrono::nanoseconds lasted{};
  mark until;  ///< the segment that ended it
  reason waited_for = reason::itself;
};
[[nodiscard]] std::string_view to_string(pause::reason r) noexcept;

/// What one side of a connection has said, and what of it the other acknowledged.
/// What nearly every packet changes stands first, in as few cache lines as will do.
struct flow {
  std::uint64_t segments = 0;  ///< segments sent, all kinds
  std::uint64_t data_segments = 0;
  std::uint64_t bytes = 0;  ///< payload bytes sent: the highest offset seen, repeats counted once
  std::uint64_t acked = 0;  ///< of those, acknowledged by the other side
  /// Segments sent since the other side was last heard, RSTs apart. A segment of
  /// the other side that only repeats what it said before (it may be as lost as
  /// we are) does not count as hearing it. Stands still from the first RST on.
  std::uint64_t unanswered = 0;
  /// Of `unanswered`: keepalive probes, and repeats of the oldest byte (or SYN, or
  /// FIN) that was not acknowledged. A retransmission timer repeats that byte and
  /// no other; fast retransmission fills later holes too.
  std::uint64_t repeats_unanswered = 0;
  optional_mark last_heard;  ///< this side's last packet of any kind
  optional_mark first_data, last_data, fin, rst;
  optional_mark zero_window_since;             ///< its receive window is closed, since this packet
  std::uint8_t ttl_least = 255, ttl_most = 0;  ///< of its packets, RSTs apart; least > most if there is none
  std::uint8_t ttl_behind = 0;                 ///< how many packets say so; 255 for more
  bool fin_acked = false;                      ///< the other side acknowledged this side's FIN
  bool fins_crossed = false;                   ///< its FIN and the other side's were on their way at one time

  std::optional<std::uint32_t> initial_sequence;  ///< of the SYN
  optional_mark syn;
  std::uint64_t retransmissions = 0;   ///< segments that repeat payload, SYN or FIN already sent
  std::uint64_t keepalive_probes = 0;  ///< no new bytes, sequence one below the next (RFC 9293 section 3.8.4)
  optional_mark first_retransmission, last_retransmission;
  optional_mark first_probe, last_probe;
  std::uint64_t bytes_after_fin_of_other = 0;  ///< payload sent after the other side's FIN was seen
  std::uint64_t duplicates = 0;                ///< packets that the capture holds twice; counted nowhere else
  std::uint64_t missed = 0;  ///< payload bytes that the other side acknowledged and the capture never held
  std::uint32_t jumps = 0;   ///< acknowledgements too far ahead for `missed` to say by how much
  std::uint64_t heard_at_fin = 0;      ///< the other side's bytes that it had acknowledged with its FIN
  std::uint32_t fin_repeats = 0;       ///< how often the FIN was sent again
  optional_mark last_fin;              ///< its last repeat
  optional_mark fin_acked_at;          ///< when fin_acked became true
  optional_mark heard_before_rst;      ///< this side's last packet before its first RST
  std::uint64_t probes_of_window = 0;  ///< segments sent to this side while its window was closed
  pause longest_pause;                 ///< of its own in the middle of what it says
  std::chrono::nanoseconds zero_window_longest{};  ///< of the times that it was closed and opened again

  // ---- silence: what was sent since the other side was last heard
  optional_mark unanswered_since;         ///< the first of `unanswered`
  std::chrono::nanoseconds repeat_gap{};  ///< between the last of `repeats_unanswered` and what it repeats

  // ---- the first RST, and what it is compared with
  std::optional<reset_kind> rst_kind;
  optional_mark rst_answers;        ///< the other side's packet whose acknowledgement a bare RST repeats
  std::uint8_t rst_ttl = 0;         ///< of its first RST
  bool rst_other_ttl = false;       ///< which no other packet of this side had
  bool rst_ahead = false;           ///< its number is one that this side had not reached
  bool rst_in_row = false;          ///< its IPv4 identification follows that of the packet before
  bool rst_established = false;     ///< the handshake was complete before it, or had not been captured
  std::uint64_t unsaid_at_rst = 0;  ///< this side's bytes that the other had not acknowledged when it came
  std::uint64_t unheard_at_rst =
      0;                      ///< the other side's bytes that this side had not, the RST's own word included
  std::uint64_t went_on = 0;  ///< segments with its next new bytes that follow its own RST
  optional_mark went_on_at;   ///< the first of them
  optional_mark rst_not_heeded;  ///< an RST after which both sides went on: it ended nothing
};

/// An ICMP unreachable that quotes a segment of this connection.
struct icmp_notice {
  mark where;
  unreachable what = unreachable::none;
  side about = side::opener;  ///< whose segment is quoted: who could not reach the other
  ip_address router;
  /// The quoted sequence number lies in what that side has in flight. Linux
  /// ignores the message otherwise (net/ipv4/tcp_ipv4.c tcp_v4_err), which is what
  /// happens to one about a keepalive probe.
  bool in_flight = false;
};

/// One connection as far as it has been seen.
struct connection {
  endpoint opener;  ///< sent the SYN; if no SYN was seen, a guess (see opener_seen)
  endpoint responder;
  bool opener_seen = false;             ///< the SYN itself was captured
  optional_mark handshake_done;         ///< the ACK of the SYN+ACK
  mark first, last;                     ///< first and last packet
  protocol spoken = protocol::unknown;  ///< by the first bytes that a side said
  std::uint32_t server_name = 0;        ///< tcp_segment::name of the segment that said so
  std::array<flow, 2> flows;            ///< index by side; see of()
  std::uint64_t icmp_count = 0;
  std::optional<icmp_notice> first_icmp, last_icmp;
  std::optional<icmp_notice> last_heeded_icmp;  ///< the last with in_flight
  /// A SYN that was refused, or taken back, and came again with the same initial sequence
  /// number is the same attempt: how often that was, and the first RST of it.
  std::uint32_t attempts_before = 0;
  optional_mark first_attempt_rst;
  /// The responder still knew an older connection of these ports and answered the SYN by an
  /// ACK of its numbers (RFC 9293 section 3.5.1, RFC 5961 section 4), and the opener's RST
  /// that ended that one.
  optional_mark challenge, challenge_answered;
  std::uint64_t backwards = 0;  ///< packets that were captured earlier than the one before them

  [[nodiscard]] const flow& of(side s) const noexcept { return flows[static_cast<std::size_t>(s)]; }
  [[nodiscard]] flow& of(side s) noexcept { return flows[static_cast<std::size_t>(s)]; }
  /// Which side has that endpoint; nothing if neither.
  [[nodiscard]] std::optional<side> side_of(const endpoint& e) const noexcept;
};

/// Sorts packets into connections. A SYN for a four-tuple whose connection has
/// ended, or with another initial sequence number, begins a new one.
/// Not thread-safe; distinct trackers are independent.
class tracker {
 public:
  tracker();
  ~tracker();
  tracker(tracker&&) noexcept;
  tracker& operator=(tracker&&) noexcept;

  /// Takes one packet in; gives its connection, or nullptr if it is kind::other
  /// or an ICMP error about a connection that was never seen. The pointer stays
  /// valid as long as the tracker.
  const connection* add(const packet& p);

  /// All connections, in the order in which they began.
  [[nodiscard]] std::vector<const connection*> connections() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace halfopen::trace

#endif
