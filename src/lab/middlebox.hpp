#ifndef HALFOPEN_SRC_LAB_MIDDLEBOX_HPP
#define HALFOPEN_SRC_LAB_MIDDLEBOX_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::lab {

/// In a SYN or SYN+ACK, lowers the maximum segment size that its sender offers to
/// `most`, checksum included. Leaves alone what offers less, or nothing.
void clamp_mss(std::span<std::byte> ethernet_frame, std::uint16_t most) noexcept;

/// That frame of the segment with the first `bytes` of its payload only (0: it acknowledges, and says
/// nothing), and without FIN and PSH. Empty if it is no TCP segment of more than `bytes` bytes.
std::vector<std::byte> first_part(const trace::packet& segment, std::span<const std::byte> ethernet_frame,
                                  std::size_t bytes);
/// ... and what is left of it then, FIN and PSH included, at its own place in the sequence.
std::vector<std::byte> last_part(const trace::packet& segment, std::span<const std::byte> ethernet_frame,
                                 std::size_t delivered);

/// The Ethernet frame of the RST with which a kernel that knows no such connection
/// answers this segment. Empty for what is not to be answered so: RSTs, and all but TCP.
std::vector<std::byte> reset_answer(const trace::packet& segment);

}  // namespace halfopen::lab

#endif
