#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/sock_diag.hpp"

namespace halfopen::lab {

std::size_t reset_connections(host& h) {
  h.lab().note("the connections of the " + h.name() + " host are reset");
  std::size_t count = 0;
  h.in_network([&] { count = destroy_tcp_connections(); });
  return count;
}

std::size_t reset_connections(host& h, const host& peer) {
  h.lab().note("the connections between " + h.name() + " and " + peer.name() + " are reset");
  std::size_t count = 0;
  h.in_network([&] { count = destroy_tcp_connections(peer.address()); });
  return count;
}

}  // namespace halfopen::lab
