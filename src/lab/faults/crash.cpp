#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

void crash(host& h) {
  if (!h.is_up()) return;
  h.lab().note(h.name() + " host crashes");
  // First the cable, then the processes: their kernel would say goodbye for them.
  host_access::port(h).connected = false;
  host_access::power_off(h);
}

}  // namespace halfopen::lab
