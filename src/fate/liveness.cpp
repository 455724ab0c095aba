#include "halfopen/liveness.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace halfopen {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using result = std::expected<void, std::error_code>;

/// MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL, include/net/tcp.h.
constexpr std::int64_t most_seconds = 32'767;
/// TCP_RTO_MIN, include/net/tcp.h: no first retransmission comes sooner.
constexpr milliseconds least_rto{200};
/// So late may a firing of the keepalive timer be that is not to end the connection yet.
constexpr milliseconds late_firing{250};

std::unexpected<std::error_code> failed() noexcept {
  return std::unexpected(std::error_code{errno, std::system_category()});
}

result set(int fd, int level, int name, std::int64_t value) noexcept {
  const int small = static_cast<int>(std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX));
  if (setsockopt(fd, level, name, &small, sizeof small) != 0) return failed();
  return {};
}

std::expected<int, std::error_code> get(int fd, int level, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, level, name, &value, &size) != 0) return failed();
  return value;
}

}  // namespace

liveness noticed_within(milliseconds within) noexcept {
  within = std::clamp<milliseconds>(within, least_notice, seconds(most_seconds));
  const std::int64_t whole = std::chrono::ceil<seconds>(within).count();
  const std::int64_t interval = std::max<std::int64_t>(1, whole / 4);
  const std::int64_t probes = std::clamp<std::int64_t>((whole - 1) / interval, 1, 3);
  const milliseconds last_but_one = seconds(whole - interval);
  return {
      .keepalive = true,
      .idle = seconds(whole - probes * interval),
      .interval = seconds(interval),
      .probes = static_cast<int>(probes),
      .user_timeout = std::max(within - least_rto, last_but_one + late_firing),
  };
}

result set_liveness(int fd, const liveness& options) noexcept {
  struct {
    int level, name;
    std::int64_t value;
  } const all[] = {
      {SOL_SOCKET, SO_KEEPALIVE, options.keepalive ? 1 : 0},
      {IPPROTO_TCP, TCP_KEEPINTVL, options.interval.count()},
      {IPPROTO_TCP, TCP_KEEPCNT, options.probes},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, options.user_timeout.count()},
      // Last: it starts the keepalive timer anew, and takes off what was silent already
      // (tcp_sock_set_keepidle_locked() in net/ipv4/tcp.c).
      {IPPROTO_TCP, TCP_KEEPIDLE, options.idle.count()},
  };
  for (const auto& option : all)
    if (const result set_it = set(fd, option.level, option.name, option.value); !set_it) return set_it;
  return {};
}

result set_liveness(int fd, milliseconds within) noexcept {
  return set_liveness(fd, noticed_within(within));
}

std::expected<liveness, std::error_code> liveness_of(int fd) noexcept {
  const auto keepalive = get(fd, SOL_SOCKET, SO_KEEPALIVE);
  if (!keepalive) return std::unexpected(keepalive.error());
  const auto idle = get(fd, IPPROTO_TCP, TCP_KEEPIDLE);
  if (!idle) return std::unexpected(idle.error());
  const auto interval = get(fd, IPPROTO_TCP, TCP_KEEPINTVL);
  if (!interval) return std::unexpected(interval.error());
  const auto probes = get(fd, IPPROTO_TCP, TCP_KEEPCNT);
  if (!probes) return std::unexpected(probes.error());
  const auto user_timeout = get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
  if (!user_timeout) return std::unexpected(user_timeout.error());
  return liveness{*keepalive != 0, seconds(*idle), seconds(*interval), *probes, milliseconds(*user_timeout)};
}

result report_icmp(int fd, bool at_once) noexcept {
  const auto family = get(fd, SOL_SOCKET, SO_DOMAIN);
  if (!family) return std::unexpected(family.error());
  // A v4-mapped connection of an IPv6 socket gets IPv4's errors, which ask for IPv4's option.
  if (*family == AF_INET6)
    if (const result six = set(fd, IPPROTO_IPV6, IPV6_RECVERR, at_once ? 1 : 0); !six) return six;
  return set(fd, IPPROTO_IP, IP_RECVERR, at_once ? 1 : 0);
}

}  // namespace halfopen
