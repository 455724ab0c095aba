// A build for another machine has no libsystemd (cmake/another_machine.cmake). A server that is
// started with a socket from systemd there must not open a port of its own as if nothing were:
// whoever waits at systemd's would wait for ever. So it says that it cannot.

#include "net/service_manager.hpp"

#ifdef HALFOPEN_WITH_SYSTEMD

#include <systemd/sd-daemon.h>

namespace halfopen::net {

static_assert(first_handed_over == SD_LISTEN_FDS_START);

std::expected<int, const char*> sockets_handed_over() {
  return ::sd_listen_fds(0);
}

void tell_service_manager(const char* what) {
  ::sd_notify(0, what);
}

}  // namespace halfopen::net

#else

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace halfopen::net {

std::expected<int, const char*> sockets_handed_over() {
  const char* whose = std::getenv("LISTEN_PID");
  if (whose != nullptr && whose == std::to_string(::getpid()))
    return std::unexpected("systemd handed over a socket; this build has no libsystemd to take it");
  return 0;
}

void tell_service_manager(const char* /*what*/) {}

}  // namespace halfopen::net

#endif
