#ifndef HALFOPEN_SRC_LAB_PACKET_RING_HPP
#define HALFOPEN_SRC_LAB_PACKET_RING_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "halfopen/lab/unique_fd.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::lab {

/// Every frame that comes out of any interface of this network namespace, in
/// one order, and a way to put frames back. See the essay in packet_ring.cpp.
class packet_ring {
 public:
  struct frame {
    std::span<std::byte> bytes;  ///< writable; valid until the next flush()
    unsigned interface = 0;      ///< index of the interface that it came in by
    trace::time_point when{};
  };

  packet_ring();
  ~packet_ring();
  packet_ring(const packet_ring&) = delete;
  packet_ring& operator=(const packet_ring&) = delete;

  /// Readable when a frame waits.
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

  /// Waits for the next frame without sleeping, for a moment only.
  void linger() const noexcept;

  /// The oldest frame not yet advanced over; false if there is none.
  bool peek(frame& out);
  /// Done with the frame that peek() gave: send it out of that interface at the
  /// next flush, or, with 0, forget it.
  void advance(unsigned send_to_interface);
  /// Sends what is queued, in order.
  void flush();

  /// Sends one frame at once, after everything that is queued.
  void send(std::span<const std::byte> bytes, unsigned interface);

  /// Frames that found no room in the ring since the start.
  [[nodiscard]] std::uint64_t overflowed();

 private:
  struct outgoing {
    std::span<const std::byte> bytes;
    unsigned interface;
  };
  [[nodiscard]] std::byte* slot(std::size_t index) const noexcept;
  [[nodiscard]] bool holds_frame() const noexcept;

  unique_fd socket_;
  std::byte* memory_ = nullptr;
  std::size_t head_ = 0;        ///< next slot to look at
  std::size_t unreleased_ = 0;  ///< slots before head_ that the kernel has not back yet
  std::vector<outgoing> queue_;
  std::uint64_t overflowed_ = 0;
};

}  // namespace halfopen::lab

#endif
