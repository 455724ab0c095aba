#ifndef HALFOPEN_SRC_TRACE_TABLE_HPP
#define HALFOPEN_SRC_TRACE_TABLE_HPP

/// Which packet belongs to which connection. Private to this folder.

#include <cstdint>
#include <vector>

#include "halfopen/trace/story_stream.hpp"
#include "trace/follow.hpp"

namespace halfopen::trace {

/// Connections by four-tuple. An entry keeps its place in memory and its index until it is
/// removed; then both are used again.
class table {
 public:
  table() : slots_(64) {}

  /// What take() found.
  struct finding {
    std::uint32_t index = followed::none;       ///< none: the packet belongs to no connection
    std::uint32_t taken_from = followed::none;  ///< of a new connection: who had the four-tuple
    side from = side::opener;                   ///< whose segment it is, or is quoted
    bool begun = false;                         ///< by this packet
  };

  /// Asks for the memory that take() is going to need, in two steps, each of which waits
  /// for what the one before has asked for.
  void fetch_slot(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  void fetch_connection(std::uint64_t hash) const noexcept;

  /// Takes a packet that is not kind::other in.
  finding take(const packet& p, const packet_context& known);

  /// Forgets the connection, and those that had the four-tuple before it must have been.
  void remove(std::uint32_t index);

  [[nodiscard]] const followed& operator[](std::uint32_t index) const noexcept {
    return chunks_[index / chunk][index % chunk];
  }
  [[nodiscard]] std::size_t size() const noexcept { return made_ - free_.size(); }
  /// One above the largest index that ever was.
  [[nodiscard]] std::uint32_t made() const noexcept { return made_; }
  /// Connections that ever began.
  [[nodiscard]] std::uint64_t begun() const noexcept { return begun_; }

 private:
  struct slot {
    std::uint32_t tag = 0;
    std::uint32_t index = followed::none;  ///< of the four-tuple's newest connection
  };
  static constexpr std::size_t chunk = 64;

  [[nodiscard]] followed& at(std::uint32_t index) noexcept { return chunks_[index / chunk][index % chunk]; }
  slot& find(const tcp_segment& t, std::uint64_t hash, side& from);
  void grow();
  void erase(std::size_t place);
  finding begin(slot& s, const tcp_segment& t, const mark& where);
  finding owner_of(const packet& p, std::uint64_t hash);

  std::vector<std::vector<followed>> chunks_;  ///< each of `chunk` elements, of which none moves
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t used_ = 0;  ///< slots
  std::uint32_t made_ = 0;
  std::uint64_t begun_ = 0;
};

}  // namespace halfopen::trace

#endif
