#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

void unplug(host& h) {
  h.lab().note("the cable of the " + h.name() + " host is pulled out");
  host_access::port(h).connected = false;
  host_access::port(h).answer.reset();
}

void replug(host& h) {
  if (!h.is_up()) return;
  h.lab().note("the cable of the " + h.name() + " host is plugged in again");
  host_access::port(h).connected = true;
  host_access::port(h).answer.reset();
}

}  // namespace halfopen::lab
