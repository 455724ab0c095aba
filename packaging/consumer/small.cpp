// The vocabulary alone.

#include <halfopen/fate.hpp>

int main() {
  return halfopen::parse_ending("peer_reset") == halfopen::ending::peer_reset ? 0 : 1;
}
