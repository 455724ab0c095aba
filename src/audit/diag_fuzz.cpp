// Any bytes, taken for what sock_diag(7) answers and notifies, for TCP_INFO and for a record of the
// tracepoints' ring: each comes from the kernel, but from which one nobody knows.

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "audit/diag.hpp"
#include "audit/ending.hpp"
#include "audit/tracepoints.hpp"

namespace halfopen::audit {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_messages(std::vector<nlmsghdr>& aligned, std::size_t size) {
  int left = static_cast<int>(size);
  for (const nlmsghdr* header = aligned.data(); is_whole(header, left);
       header = mnl_nlmsg_next(header, &left)) {
    const auto s = socket_of(header);
    if (!s) continue;
    snapshot m;
    m.networks.emplace_back();
    const risk r = risk_of(*s, m);
    require(!r.worst(*s).known() || !r.worst(*s).least || r.worst(*s).least->count() >= 0);
    require(!to_string(s->state).empty() && !s->remote.to_string().empty());
    const death e = end_of(*s, nullptr, r);
    require(e.opened || !e.how);
    static_cast<void>(faults_of(*s, m, patience{}));
  }
}

}  // namespace
}  // namespace halfopen::audit

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace halfopen::audit;
  std::vector<nlmsghdr> aligned(size / sizeof(nlmsghdr) + 1);
  if (size != 0) std::memcpy(aligned.data(), data, size);
  read_messages(aligned, size);
  static_cast<void>(figures_of(data, size));
  if (const auto t = traced_of(data, size, {{1, "WHY"}}, std::chrono::microseconds(4000))) {
    require(t->name.size() <= 16);
    static_cast<void>(end_of(*t));
  }
  return 0;
}
