#ifndef HALFOPEN_SRC_TRACE_FRAGMENTS_HPP
#define HALFOPEN_SRC_TRACE_FRAGMENTS_HPP

/// Fragmented IP packets put together again.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::trace {

/// Not thread-safe. Bounded: a few hundred packets at one time.
class defragmenter {
 public:
  /// Takes an IP packet: whole, or else the first fragment of one whose others did not come, which
  /// decode() reads as far as it goes. With the number and time of the packet's last fragment.
  using sink = std::function<void(std::span<const std::byte> ip, std::uint64_t number, time_point when)>;

  explicit defragmenter(sink to) : to_{std::move(to)} {}

  /// packet::fragment.
  void take(std::span<const std::byte> fragment, std::uint64_t number, time_point when);
  /// Gives up all that are not whole.
  void finish();

  [[nodiscard]] std::uint64_t whole() const noexcept { return whole_; }
  [[nodiscard]] std::uint64_t given_up() const noexcept { return given_up_; }

 private:
  struct piece {
    std::vector<std::byte> key;         ///< addresses, identification, protocol
    std::span<const std::byte> header;  ///< what stands before the payload in every fragment
    std::size_t next_header_at = 0;     ///< IPv6: where the number of the header that follows stands
    std::uint8_t next_header = 0;
    std::size_t offset = 0;
    bool more = false;
    std::span<const std::byte> payload;
    bool cut = false;  ///< by the snaplen
  };
  struct datagram {
    std::vector<std::byte> key;
    std::uint64_t number = 0;
    time_point begun{}, when{};
    std::vector<std::byte> first;   ///< the first fragment as it came
    std::vector<std::byte> header;  ///< of the whole
    std::vector<std::byte> payload;
    std::vector<std::pair<std::size_t, std::size_t>> have;  ///< sorted, apart from each other
    std::optional<std::size_t> size;
  };

  [[nodiscard]] static std::optional<piece> read(std::span<const std::byte> fragment);
  [[nodiscard]] static std::optional<piece> read_v6(std::span<const std::byte> fragment);
  static void note(datagram& d, std::size_t begin, std::size_t end);
  void give_up(const datagram& d);

  sink to_;
  std::deque<datagram> waiting_;  ///< the oldest first
  std::uint64_t whole_ = 0, given_up_ = 0;
};

}  // namespace halfopen::trace

#endif
