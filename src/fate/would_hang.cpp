// How long a program would wait for a peer that is gone: the socket's options and the
// kernel's settings, put into the formulas of kernel_timeouts.hpp.
//
// With TCP_USER_TIMEOUT, tcp_retries2 means nothing (tcp_write_timeout() in
// net/ipv4/tcp_timer.c). The clock of that timeout, retrans_stamp, starts with the first
// retransmission, one retransmission timer after the write; the least such timer is added
// here, since liveness.cpp takes it off. tcp_retries2 counts from there as well, but its
// 924.6 s are given as Documentation/networking/ip-sysctl.rst gives them: a lower bound.
//
// Another way would be to read /proc/net/tcp or to ask inet_diag for the timers of the
// moment. Neither knows the user timeout, and a timer that is not yet armed tells nothing.

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "fate/kernel_timeouts.hpp"
#include "halfopen/liveness.hpp"

namespace halfopen {
namespace {

using std::chrono::seconds;

constexpr int tcp_rto_max_ms = 44;  // TCP_RTO_MAX_MS, Linux 6.15

std::optional<long> read_setting(std::string_view folder, const char* name) {
  std::ifstream file(std::string(folder) + "/" + name);
  long value = 0;
  if (!(file >> value) || value < 0 || value > INT32_MAX) return std::nullopt;
  return value;
}

std::optional<int> option(int fd, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, IPPROTO_TCP, name, &value, &size) != 0) return std::nullopt;
  return value;
}

}  // namespace

kernel_timers read_kernel_timers(std::string_view sysctls) {
  kernel_timers t;
  t.syn_linear_timeouts = 0;  // what Linux before 6.5 does, which has no such file
  const auto number = [sysctls](const char* name, int& into) {
    if (const auto value = read_setting(sysctls, name)) into = static_cast<int>(*value);
  };
  number("tcp_retries2", t.retries2);
  number("tcp_syn_retries", t.syn_retries);
  number("tcp_syn_linear_timeouts", t.syn_linear_timeouts);
  number("tcp_keepalive_probes", t.keepalive_probes);
  if (const auto us = read_setting(sysctls, "tcp_rto_min_us")) t.rto_min = milliseconds(*us / 1000);
  if (const auto ms = read_setting(sysctls, "tcp_rto_max_ms")) t.rto_max = milliseconds(*ms);
  if (const auto s = read_setting(sysctls, "tcp_keepalive_time")) t.keepalive_time = seconds(*s);
  if (const auto s = read_setting(sysctls, "tcp_keepalive_intvl")) t.keepalive_interval = seconds(*s);
  return t;
}

hang would_hang(const liveness& options, const kernel_timers& timers) noexcept {
  const auto sane = [](seconds s) { return std::clamp<seconds>(s, seconds(0), seconds(INT32_MAX)); };
  const auto limit =
      std::clamp<milliseconds>(options.user_timeout, milliseconds(0), milliseconds(UINT32_MAX));
  hang h;
  if (options.keepalive)
    h.idle = keepalive_gives_up(sane(options.idle), sane(options.interval), options.probes, limit);
  h.in_flight =
      limit.count() > 0 ? timers.rto_min + limit : retransmission_gives_up(timers.retries2, timers.rto_max);
  h.connecting = connect_gives_up(timers.syn_retries, timers.syn_linear_timeouts, limit, timers.rto_max);
  return h;
}

result<hang> would_hang(int fd) {
  const auto options = liveness_of(fd);
  if (!options) return options.error();
  kernel_timers timers = read_kernel_timers();
  if (const auto count = option(fd, TCP_SYNCNT); count && *count > 0) timers.syn_retries = *count;
  if (const auto ms = option(fd, tcp_rto_max_ms); ms && *ms > 0) timers.rto_max = milliseconds(*ms);
  return would_hang(*options, timers);
}

}  // namespace halfopen
