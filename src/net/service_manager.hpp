#ifndef HALFOPEN_NET_SERVICE_MANAGER_HPP
#define HALFOPEN_NET_SERVICE_MANAGER_HPP

/// What systemd hands over, and what it is told: libsystemd, where the library was built with it.

#include <expected>

namespace halfopen::net {

inline constexpr int first_handed_over = 3;  ///< SD_LISTEN_FDS_START, sd_listen_fds(3)

/// How many sockets this process was given, from first_handed_over on. The error: it was given
/// some, and cannot take them, because there is no libsystemd in this build.
[[nodiscard]] std::expected<int, const char*> sockets_handed_over();

/// Tells it "READY=1" or "STOPPING=1" (sd_notify(3)), where it wants to know; without libsystemd
/// nothing is told, and a unit of Type=notify would wait in vain.
void tell_service_manager(const char* what);

}  // namespace halfopen::net

#endif
