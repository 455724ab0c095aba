#ifndef HALFOPEN_SRC_LAB_HELD_PACKETS_HPP
#define HALFOPEN_SRC_LAB_HELD_PACKETS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::lab {

/// Packets that stay on the cable until they are told to go on, whole or a part of one. Not thread-safe.
class held_packets {
 public:
  struct one {
    std::vector<std::byte> frame;
    std::size_t sender = 0, receiver = 0;  ///< ports of the cable
    std::uint64_t number = 0;              ///< in the evidence
    bool is_part = false;                  ///< not the packet as it was sent
  };

  void push(const trace::packet& p, std::span<const std::byte> frame, std::size_t sender,
            std::size_t receiver);
  /// The same of what is left of a segment whose first bytes were delivered.
  void push_rest(const trace::packet& p, std::span<const std::byte> frame, std::size_t delivered,
                 std::size_t sender, std::size_t receiver);

  /// It says nothing that is not held already.
  [[nodiscard]] bool has(const trace::packet& p) const noexcept;
  /// ... and the beginning of it was delivered: its repeat must not bring the rest.
  [[nodiscard]] bool has_rest_of(const trace::packet& p) const noexcept;

  /// The next packet of that sender, or of its payload only the first `most` bytes; nothing if none is
  /// held. `most` is at least 1.
  [[nodiscard]] std::optional<one> take(const trace::endpoint& sender, std::size_t most);
  [[nodiscard]] std::vector<one> take_all();
  /// What that end of a connection said is lost.
  void drop(const trace::endpoint& sender);

 private:
  struct entry {
    one what;
    trace::endpoint source;
    std::uint32_t end = 0;    ///< sequence number behind its payload
    std::size_t payload = 0;  ///< bytes
    bool was_cut = false;
  };

  std::vector<entry> all_;
};

}  // namespace halfopen::lab

#endif
