// What init does when the machine is told to stop: SIGTERM to every process, a
// fixed time, SIGKILL (systemd: DefaultTimeoutStopSec; System V init: 5 s, see
// telinit(8)). The kernel lives until the last process is gone, so whatever a
// process still has in its sockets' buffers goes out.

#include <signal.h>

#include <algorithm>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

int shut_down(host& h, std::chrono::milliseconds grace) {
  auto& s = host_access::of(h);
  if (!s.up) return 0;
  terminate(h);
  s.line.signal_all(SIGCONT);  // a process that stands still could not even take it
  const auto all_gone = [&] {
    return h.is_empty() &&
           std::ranges::all_of(s.processes, [](const auto& p) { return p->ended().has_value(); });
  };
  if (h.lab().until(all_gone, grace)) return 0;
  const int left = s.line.count();
  h.lab().note("SIGKILL to every process left on the " + h.name() + " host");
  s.line.signal_all(SIGKILL);
  h.lab().until(all_gone);
  return left;
}

}  // namespace halfopen::lab
