#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

void reboot(host& h, disk what) {
  crash(h);
  if (what == disk::lost) host_access::of(h).disk.reset();
  host_access::power_on(h);
  h.lab().note(h.name() + " host is back, with no memory of its connections" +
               (what == disk::lost ? " and an empty disk" : ""));
}

}  // namespace halfopen::lab
