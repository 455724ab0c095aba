#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

void reboot(host& h) {
  crash(h);
  host_access::power_on(h);
  h.lab().note(h.name() + " host is back, with no memory of its connections");
}

}  // namespace halfopen::lab
