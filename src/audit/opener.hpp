#ifndef HALFOPEN_SRC_AUDIT_OPENER_HPP
#define HALFOPEN_SRC_AUDIT_OPENER_HPP

#include <span>
#include <vector>

#include "halfopen/audit.hpp"

namespace halfopen::audit {

/// Ports on which somebody listens, by the index of the network namespace. Sorted.
struct listening_port {
  std::uint32_t network = 0;
  std::uint16_t port = 0;
  auto operator<=>(const listening_port&) const = default;
};
[[nodiscard]] std::vector<listening_port> listening_ports(std::span<const tcp_socket> all);

/// Who sent the SYN, as far as the kernel's counters or the listeners tell.
[[nodiscard]] side opener_of(const tcp_socket& s, std::span<const listening_port> listening);

}  // namespace halfopen::audit

#endif
