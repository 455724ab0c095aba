#ifndef HALFOPEN_SRC_LAB_SOCK_DIAG_HPP
#define HALFOPEN_SRC_LAB_SOCK_DIAG_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "halfopen/lab/host.hpp"

/// The sockets of the network namespace in which this thread is, both IP versions.

namespace halfopen::lab {

/// All that are bound or connected, in every state of <netinet/tcp.h>.
std::vector<socket_view> tcp_sockets();

/// Ports of the listening ones.
std::vector<std::uint16_t> listening_tcp_ports();

/// Listening TCP sockets, and UDP sockets that are bound and not connected; sorted, each once.
std::vector<listener> listening_sockets();

/// Bytes that wait in the receive queues of the established ones at that local
/// port, and that their program has not read.
std::uint64_t unread_bytes_at(std::uint16_t port);

/// Aborts every connection (with that peer, if one is named) that an abort tells the peer of (SOCK_DESTROY);
/// returns their number.
std::size_t destroy_tcp_connections(const std::optional<trace::ip_address>& peer = {});

}  // namespace halfopen::lab

#endif
