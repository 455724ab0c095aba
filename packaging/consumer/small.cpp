// The vocabulary and the socket options alone, in C++17.

#include <halfopen/fate.hpp>
#include <halfopen/liveness.hpp>

int main() {
  if (halfopen::parse_ending("peer_reset") != halfopen::ending::peer_reset) return 1;
  return halfopen::liveness_of(-1) ? 2 : 0;
}
