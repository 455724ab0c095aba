#ifndef HALFOPEN_SRC_TRACE_ID_ROWS_HPP
#define HALFOPEN_SRC_TRACE_ID_ROWS_HPP

/// Rows of IPv4 identifications. A host counts the packets that it sends: Linux those of each socket
/// (net/ipv4/ip_output.c, ip_select_ident), Windows and older systems all of them. Whoever forges a
/// packet does not know how far it has got. Others draw lots (OpenBSD, macOS), so an identification
/// that is in no row is no evidence of anything. Private to this folder.

#include <array>
#include <cstddef>
#include <cstdint>

#include "halfopen/trace/packet.hpp"

namespace halfopen::trace {

/// The identifications of one sender; 0 stands for none.
struct id_row {
  std::uint16_t last = 0;
  std::uint8_t steps = 0;  ///< how often the last was followed by one a little higher

  /// Between two packets of a row the host may have sent others elsewhere.
  static constexpr std::uint16_t furthest = 64;
  /// So many steps are no chance: of ids drawn by lot each has 1 of 1,000.
  static constexpr std::uint8_t enough = 2;

  /// Whether this one is the next in a row.
  [[nodiscard]] bool goes_on_with(std::uint16_t id) const noexcept {
    return id != 0 && steps >= enough && is_step(id);
  }
  void take(std::uint16_t id) noexcept {
    if (id == 0) return;
    if (last != 0 && !is_step(id))
      steps = 0;
    else if (last != 0 && steps < UINT8_MAX)
      ++steps;
    last = id;
  }

 private:
  [[nodiscard]] bool is_step(std::uint16_t id) const noexcept {
    const auto step = static_cast<std::uint16_t>(id - last);
    return step > 0 && step <= furthest;
  }
};

/// One row a host, over all its TCP connections. Of two hosts that meet in one place of the table
/// the later has it, and the other's row begins anew.
class id_rows {
 public:
  /// Whether the packet's identification is the next in its sender's row.
  [[nodiscard]] bool goes_on_with(const packet& p) const noexcept {
    const entry& e = entries_[place_of(p.source)];
    return e.host == p.source && e.row.goes_on_with(p.ip_id);
  }
  void take(const packet& p) noexcept {
    if (p.ip_id == 0) return;
    entry& e = entries_[place_of(p.source)];
    if (e.host != p.source) e = {.host = p.source, .row = {}};
    e.row.take(p.ip_id);
  }

 private:
  static constexpr std::size_t room = 256;  // few hosts speak at one time; it shall stay in the first cache
  struct entry {
    ip_address host;
    id_row row;
  };
  [[nodiscard]] static std::size_t place_of(const ip_address& a) noexcept {
    const std::uint64_t mixed = a.words()[0] * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(mixed >> 56U);
  }
  std::array<entry, room> entries_;
};

}  // namespace halfopen::trace

#endif
