#include <signal.h>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {

std::size_t terminate(host& h) {
  auto& s = host_access::of(h);
  if (!s.up) return 0;
  h.lab().note("SIGTERM to every process of the " + h.name() + " host");
  const auto told = static_cast<std::size_t>(s.line.count());
  s.line.signal_all(SIGTERM);
  return told;
}

}  // namespace halfopen::lab
