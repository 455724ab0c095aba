#include <signal.h>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::lab {

void kill(process& p) {
  p.where().lab().note("SIGKILL to the " + p.where().name() + " process");
  p.signal(SIGKILL);
}

}  // namespace halfopen::lab
