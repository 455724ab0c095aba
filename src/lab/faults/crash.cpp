#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

void crash(host& h) {
  if (!h.is_up()) return;
  h.lab().note(h.name() + " host crashes");
  // The dying processes' kernel says goodbye for them. But nothing crosses the cable
  // while this runs, and when something does again, the host's end is out of it.
  host_access::power_off(h);
}

}  // namespace halfopen::lab
