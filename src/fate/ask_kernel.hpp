#ifndef HALFOPEN_SRC_FATE_ASK_KERNEL_HPP
#define HALFOPEN_SRC_FATE_ASK_KERNEL_HPP

/// What the kernel still knows of a connection that has ended.

#include <cstdint>
#include <optional>

#include "halfopen/fate.hpp"

namespace halfopen {

/// The states of include/net/tcp_states.h that are asked about.
enum class tcp_state : std::uint8_t { established = 1, syn_sent = 2, close = 7, close_wait = 8, listen = 10 };

struct connection_facts {
  tcp_state state = tcp_state::close;
  bool opened = false;           ///< the handshake was completed
  std::uint32_t sent = 0;        ///< segments of any kind, the SYN included (tcpi_segs_out)
  std::uint32_t unanswered = 0;  ///< retransmission timers that ran out since the last ACK (tcpi_retransmits)
  std::uint32_t probes = 0;      ///< keepalive or window probes since the last ACK (tcpi_probes)
  std::optional<std::uint64_t> bytes_sent;  ///< data, in all its life; not before Linux 4.19
  evidence seen{};
};

/// Nothing if fd is no TCP connection, a listening socket included. May change errno.
[[nodiscard]] std::optional<connection_facts> ask_kernel(int fd) noexcept;

/// A Unix socket (unix(7)).
[[nodiscard]] bool is_local(int fd) noexcept;

/// Takes one entry off the error queue. Nothing if there is none, or if it is not ICMP's.
/// Also clears the socket's pending error. May change errno.
[[nodiscard]] std::optional<icmp_report> take_icmp(int fd) noexcept;

/// The router is this host itself: no neighbour answered for the address (ARP, RFC 4861).
[[nodiscard]] bool is_own_address(int fd, const icmp_report& icmp) noexcept;

}  // namespace halfopen

#endif
