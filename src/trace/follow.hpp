#ifndef HALFOPEN_TRACE_FOLLOW_HPP
#define HALFOPEN_TRACE_FOLLOW_HPP

/// One connection being followed: its public record, and what only the
/// following needs. Private to this folder.

#include <array>
#include <cstdint>
#include <optional>

#include "halfopen/trace/connection.hpp"
#include "trace/id_rows.hpp"

namespace halfopen::trace {

/// Where one side's stream stands. Offsets count from the first payload byte, so
/// the SYN is at -1, and are 64 bits wide: they do not wrap.
struct stream_position {
  std::optional<std::uint32_t> base;  ///< the sequence number of offset 0
  bool guessed = false;               ///< base is not from a SYN
  std::int64_t next = 0;              ///< one after the highest offset sent, FIN included
  std::int64_t acked = 0;             ///< up to here the other side has acknowledged
  std::optional<std::int64_t> fin_end;
  std::int64_t hole = 0, hole_end = 0;  ///< bytes that were jumped over and not yet seen; empty if equal
  std::int64_t at_rst = 0;              ///< `next` when this side's first RST came
  std::uint32_t asks = 0;               ///< the acknowledgement number of its last segment
  std::uint32_t asked_before = 0;       ///< and the one before it that was another
  id_row ids;                           ///< of its segments
  time_point acked_at{};                ///< when all that it had said was acknowledged
  bool was_shut = false;                ///< the other side's window was closed since `new_at`
  mark new_at;                          ///< its last segment with new bytes; number 0: none

  /// The offset nearest to `next` that has this sequence number. Needs a base.
  [[nodiscard]] std::int64_t offset_of(std::uint32_t sequence) const noexcept;
};

class followed {
 public:
  /// Begins with the roles that this first segment gives away.
  explicit followed(const tcp_segment& first, const mark& where) noexcept;

  /// Takes in a segment sent by `from`. `next_of_host`: its identification is the next in its
  /// host's row.
  void take(const packet& p, side from, bool next_of_host = false) noexcept;
  /// Of a copy only that there was one, and when.
  void take_copy(const packet& p, side from) noexcept;
  /// Takes in an ICMP message that quotes a segment of `about`.
  void take_notice(const packet& p, side about) noexcept;

  /// True if this segment can only belong to another, newer connection.
  [[nodiscard]] bool is_over_for(const packet& p, side from) const noexcept;
  /// True if nothing but SYNs was said yet and this segment does not fit to them:
  /// it belongs to the connection that had the four-tuple before.
  [[nodiscard]] bool is_too_young_for(const tcp_segment& t, side from) const noexcept;

  [[nodiscard]] const connection& record() const noexcept { return record_; }
  /// RST, or FIN from both: nothing but late words can follow.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// The packet is older than others of this connection that came before it, and says what
  /// they have said: the file holds a stretch of time twice.
  [[nodiscard]] bool is_from_the_past(const packet& p, side from) const noexcept;
  /// The opener's SYNs are all that was said.
  [[nodiscard]] bool only_syns() const noexcept;

  /// Asks for the memory that nearly every segment needs, all at once, so that the cache's
  /// misses overlap: about half of the object.
  void fetch() const noexcept;

  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t previous = none;  ///< the connection that had the four-tuple before
  std::uint64_t number = 0;       ///< among all connections, in the order in which they began, from 1

 private:
  /// What a segment turned out to be.
  struct finding {
    bool repeat = false;  ///< says nothing new
    bool front = false;   ///< repeats the oldest unacknowledged byte, or is a probe
    bool acked_something = false;
  };

  [[nodiscard]] stream_position& at(side s) noexcept { return positions_[static_cast<std::size_t>(s)]; }
  [[nodiscard]] const stream_position& at(side s) const noexcept {
    return positions_[static_cast<std::size_t>(s)];
  }
  [[nodiscard]] bool was_reset() const noexcept;
  [[nodiscard]] bool says_nothing_new(const tcp_segment& t, side from) const noexcept;
  [[nodiscard]] bool take_challenge(const tcp_segment& t, side from, const mark& where) noexcept;

  void take_reset(const packet& p, side from, const mark& where, bool next_of_host) noexcept;
  void compare_reset(const packet& p, side from, bool next_of_host) noexcept;
  void forget_reset(side of) noexcept;
  void note_origin(const packet& p, side from) noexcept;
  void note_window(const tcp_segment& t, side from, const mark& where) noexcept;
  void note_hole(stream_position& p, std::int64_t offset, std::int64_t end) const noexcept;
  [[nodiscard]] bool plausible_reset(const tcp_segment& t, side from) const noexcept;
  [[nodiscard]] reset_kind kind_of_reset(const tcp_segment& t, side from) const noexcept;
  finding note_syn(const tcp_segment& t, side from, const mark& where) noexcept;
  finding note_content(const tcp_segment& t, side from, const mark& where) noexcept;
  void note_pause(side from, const mark& where) noexcept;
  void note_new_payload(const tcp_segment& t, side from, const mark& where, std::int64_t end) noexcept;
  [[nodiscard]] bool is_probe(const tcp_segment& t, side from) const noexcept;
  [[nodiscard]] bool began_with_probe(side s) const noexcept;
  bool note_ack(const tcp_segment& t, side from, const mark& where) noexcept;
  void note_handshake(const tcp_segment& t, side from, const mark& where) noexcept;
  void note_silence(side from, const finding& f, const mark& where,
                    const std::optional<mark>& before) noexcept;

  connection record_;
  std::array<stream_position, 2> positions_;
  bool ended_ = false;
  bool replayed_ = false;        ///< packets of the past have come, and perhaps not all yet
  std::uint32_t challenge_ = 0;  ///< the acknowledgement number of connection::challenge
};

}  // namespace halfopen::trace

#endif
