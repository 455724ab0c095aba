#include "fate/kernel_timeouts.hpp"

#include <algorithm>
#include <bit>

namespace halfopen {
namespace {

constexpr milliseconds rto_min{200};      // TCP_RTO_MIN, include/net/tcp.h
constexpr milliseconds rto_of_syn{1000};  // TCP_TIMEOUT_INIT

}  // namespace

milliseconds retransmission_gives_up(int retries2, milliseconds rto_max) noexcept {
  const int doublings =
      static_cast<int>(std::bit_width(static_cast<unsigned>(std::max<long>(1, rto_max / rto_min)))) - 1;
  const int exponential = std::min(std::max(retries2, 0), doublings);
  const int at_the_limit = std::max(retries2 - doublings, 0);
  return rto_min * ((2LL << exponential) - 1) + rto_max * at_the_limit;
}

milliseconds connect_gives_up(int syn_retries, int linear) noexcept {
  // The first wait and each of the linear ones last 1 s, every later one twice the last.
  milliseconds total = rto_of_syn * (1 + linear);
  for (int i = 1; i <= syn_retries; ++i)
    total += std::min<milliseconds>(rto_of_syn * (1LL << i), milliseconds(120'000));
  return total;
}

milliseconds keepalive_gives_up(milliseconds time, milliseconds interval, int probes) noexcept {
  return time + interval * probes;
}

}  // namespace halfopen
