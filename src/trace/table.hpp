#ifndef HALFOPEN_SRC_TRACE_TABLE_HPP
#define HALFOPEN_SRC_TRACE_TABLE_HPP

/// Which packet belongs to which connection. Private to this folder.

#include <cstdint>
#include <vector>

#include "trace/copies.hpp"
#include "trace/follow.hpp"

namespace halfopen::trace {

/// Every bit of the result depends on every bit of `x` (the finaliser of SplitMix64).
[[nodiscard]] constexpr std::uint64_t spread_bits(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

/// Connections by four-tuple. An entry keeps its place in memory and its index until it is
/// removed; then both are used again.
class table {
 public:
  table();

  /// What take() found.
  struct finding {
    std::uint32_t index = followed::none;       ///< none: the packet belongs to no connection
    std::uint32_t taken_from = followed::none;  ///< of a new connection: who had the four-tuple
    side from = side::opener;                   ///< whose segment it is, or is quoted
    bool begun = false;                         ///< by this packet
  };

  /// Of the four-tuple, in either direction.
  [[nodiscard]] std::uint64_t hash(const tcp_segment& t) const noexcept {
    return hash(t.source, t.destination);
  }
  /// Asks for the memory that take() is going to need, in two steps, each of which waits
  /// for what the one before has asked for.
  void fetch_slot(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  void fetch_connection(std::uint64_t hash) const noexcept;

  /// Takes a packet that is not kind::other in.
  finding take(const packet& p) { return take(p, hash(p.tcp)); }
  finding take(const packet& p, std::uint64_t hash);

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

  [[nodiscard]] static std::uint64_t hash_of(const endpoint& e, std::uint64_t salt) noexcept {
    const auto& words = e.address.words();
    const std::uint64_t port = std::uint64_t{e.port} << 40U;  // beside an IPv4 address, not upon it
    if (!e.address.is_v6()) return spread_bits((words[0] ^ salt) + port);
    return spread_bits(spread_bits(words[0] ^ salt) + words[1] + port);
  }
  [[nodiscard]] std::uint64_t hash(const endpoint& a, const endpoint& b) const noexcept {
    return spread_bits(hash_of(a, salt_) + hash_of(b, salt_));
  }
  [[nodiscard]] followed& at(std::uint32_t index) noexcept { return chunks_[index / chunk][index % chunk]; }
  slot& find(const tcp_segment& t, std::uint64_t hash, side& from);
  void grow();
  void erase(std::size_t place);
  finding begin(slot& s, const tcp_segment& t, const mark& where);
  finding owner_of(const packet& p, std::uint64_t hash);
  void take_segment(const packet& p, const finding& of);

  copy_finder copies_;
  id_rows ids_;
  std::vector<std::vector<followed>> chunks_;  ///< each of `chunk` elements, of which none moves
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t used_ = 0;  ///< slots
  std::uint32_t made_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t salt_;
};

}  // namespace halfopen::trace

#endif
