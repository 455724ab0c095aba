#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

void make_unreachable(host& h, unreachable_kind what) {
  h.lab().note("from now on the router says that the " + h.name() +
               (what == unreachable_kind::host ? " host" : "'s network") + " cannot be reached");
  host_access::port(h).connected = false;
  host_access::port(h).answer = what;
}

}  // namespace halfopen::lab
