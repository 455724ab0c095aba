#include <sys/socket.h>

#include <cerrno>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::lab {

void abort(host& h, unique_fd socket) {
  h.lab().note("the " + h.name() + " aborts its connection (SO_LINGER 0)");
  const linger at_once{1, 0};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0)
    throw error("SO_LINGER", errno);
}

void abort_before_accept(host& from, process& server, std::uint16_t port) {
  server.hold();
  bool reset_seen = false;
  try {
    abort(from, from.connect_to(server.where(), port));
    reset_seen = from.lab().after(lab::from(from) && reset());
  } catch (...) {
    server.resume();
    throw;
  }
  server.resume();
  if (!reset_seen) throw error("the RST did not come");
}

}  // namespace halfopen::lab
