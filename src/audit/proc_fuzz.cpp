// Any text, taken for /proc/PID/cgroup and /proc/net/netstat: names of control groups are anybody's.

#include <cstdlib>
#include <string_view>

#include "audit/proc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace halfopen::audit;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string id = container_of(text);
  if (text.find(id) == std::string_view::npos || id.find('/') != std::string::npos) std::abort();
  const auto n = netstat(text, "TcpExt:", "ListenOverflows");
  if (n && text.find("ListenOverflows") == std::string_view::npos) std::abort();
  return 0;
}
