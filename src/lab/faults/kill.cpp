#include <signal.h>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

void kill(process& p) {
  p.where().lab().note("SIGKILL to the " + p.where().name() + " process");
  p.signal(SIGKILL);
}

void kill(host& h) {
  auto& s = host_access::of(h);
  if (!s.up) return;
  h.lab().note("SIGKILL to every process of the " + h.name() + " host");
  s.line.signal_all(SIGKILL);
}

}  // namespace halfopen::lab
