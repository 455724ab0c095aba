// One packet, captured twice: by a mirror port that sends both its ways in and out, by two
// capture points before and behind a router, by a merge of overlapping files.
//
// A copy takes part in nothing, or it would be a retransmission that nobody made, a host
// that speaks after its own RST, a second TTL. Keeping the last packet of each side and
// comparing with it was the alternative, and misses copies that come in pairs (A B A B).
// Here all connections share one table of content, so that a copy is found as long as no
// more than some thousand packets lie between.
//
// The TCP checksum stands for payload and options. A retransmission has a new IPv4
// identification on Linux (by socket) and Windows (by host); where there is none (IPv6, or
// 0 as Linux sends it in a SYN+ACK and some systems in all) only a time too short for any
// retransmission timer tells: Linux's earliest, the tail loss probe, waits for two ticks
// (tcp_schedule_loss_probe).
//
// What was captured in the past of its own connection is a matter of follow.cpp.

#include "trace/copies.hpp"

#include <algorithm>

#include "trace/four_tuple.hpp"

namespace halfopen::trace {

using namespace std::chrono_literals;

bool is_copy(const twin& earlier, const twin& later, bool proven) noexcept {
  if (earlier.ip_id != later.ip_id) return false;
  const auto passed = later.when >= earlier.when ? later.when - earlier.when : earlier.when - later.when;
  const bool elsewhere = earlier.ttl != later.ttl;  // a router lies between the two places
  if (later.ip_id != 0) return passed < (elsewhere ? 1000ms : 100ms);
  if (elsewhere) return passed < 100ms;
  if (proven) return passed < 2ms;
  return !later.repeatable && passed > 0ms && passed < 2ms;
}

bool copy_finder::holds_already(const packet& p, std::uint64_t hash) noexcept {
  const tcp_segment& t = p.tcp;
  const std::uint64_t numbers = std::uint64_t{t.sequence} << 32U | t.acknowledgement;
  const std::uint64_t rest = std::uint64_t{t.checksum} << 48U | std::uint64_t{t.window} << 32U |
                             std::uint64_t{t.length} << 8U | t.flags;
  const std::uint64_t content = spread_bits(spread_bits(hash ^ numbers) ^ rest ^ t.source.port);
  entry& e = (*entries_)[content % room];
  const bool repeatable = t.length == 0 && !t.has_any(syn | fin | rst);
  const twin now{p.when, p.ip_id, p.ttl, repeatable};
  const bool same = e.content == content && is_copy(e.what, now, proven_ > 0);
  if (same && p.ip_id != 0 && !repeatable) ++proven_;
  e.content = content;
  e.what = now;
  return same;
}

}  // namespace halfopen::trace
