// A record of the ring, as what the rest of the audit speaks of. It comes from a program of ours in the
// kernel, but names of processes are anybody's.

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "audit/tracepoints.h"
#include "audit/tracepoints.hpp"

namespace halfopen::audit {
namespace {

trace::endpoint endpoint_of(std::uint16_t family, const __u8 (&address)[16], std::uint16_t port) {
  static constexpr std::array<__u8, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::span<const std::byte> bytes = std::as_bytes(std::span(address));
  if (family == AF_INET)
    bytes = bytes.first(4);
  else if (std::ranges::equal(mapped, std::span(address).first(mapped.size())))
    bytes = bytes.last(4);
  return {trace::ip_address(bytes), port};
}

closer closer_of(std::uint8_t first_fin) {
  return first_fin == 1 ? closer::this_host : first_fin == 2 ? closer::peer : closer::unknown;
}

}  // namespace

std::optional<traced> traced_of(const void* record, std::size_t size, const reset_reasons& reasons,
                                std::chrono::microseconds tick) {
  halfopen_socket_record r{};
  if (size < sizeof r) return std::nullopt;
  std::memcpy(&r, record, sizeof r);
  traced t;
  t.cookie = r.cookie;
  t.network = r.network;
  t.pid = static_cast<pid_t>(r.pid);
  t.name.assign(r.name, ::strnlen(r.name, sizeof r.name));
  t.local = endpoint_of(r.family, r.local, r.local_port);
  t.remote = endpoint_of(r.family, r.remote, r.remote_port);
  t.opened_by = r.connected != 0 ? side::this_host : r.accepted != 0 ? side::peer : side::unknown;
  t.left = static_cast<socket_state>(r.left);
  t.error = r.error;
  t.first_fin = closer_of(r.first_fin);
  t.reset_received = (r.resets & HALFOPEN_RESET_RECEIVED) != 0;
  t.reset_sent = (r.resets & HALFOPEN_RESET_SENT) != 0;
  t.reset_in_answer = (r.resets & HALFOPEN_RESET_SENT_IN_ANSWER) != 0;
  const auto reason = reasons.find(r.reason);
  if (reason != reasons.end()) t.reason = reason->second;
  t.segments_repeated = r.retransmissions;
  if (r.heard != 0) t.silence = std::chrono::floor<milliseconds>(tick * std::int64_t{r.silent});
  return t;
}

}  // namespace halfopen::audit
