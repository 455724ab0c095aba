#ifndef HALFOPEN_SRC_AUDIT_CAPTURE_HPP
#define HALFOPEN_SRC_AUDIT_CAPTURE_HPP

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "halfopen/audit.hpp"

namespace halfopen::audit {

/// The connections that a capture is about: of which something is wrong, and with a limit those that would
/// not notice within it. Indices in snapshot::sockets.
[[nodiscard]] std::vector<std::uint32_t> suspects_of(const snapshot& s, std::span<const group> all,
                                                     std::optional<milliseconds> limit);

/// Writes the packets of just these connections, and the ICMP errors about them, for so long, as pcapng.
/// Comments on each interface say whose connections they are. Gives the number of packets; the error is a
/// sentence. Needs CAP_NET_RAW in each of their network namespaces.
[[nodiscard]] std::expected<std::uint64_t, std::string> capture(const snapshot& s,
                                                                std::span<const std::uint32_t> suspects,
                                                                milliseconds length, const std::string& path);

}  // namespace halfopen::audit

#endif
