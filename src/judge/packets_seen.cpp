#include "judge/packets_seen.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>

namespace halfopen::judge {
namespace {

constexpr std::size_t most_listed = 1000;  ///< at either end

/// The maximum segment size that a SYN offers (RFC 9293 section 3.2); nothing if it offers none.
std::optional<std::uint16_t> mss_of_syn(std::span<const std::byte> ethernet_frame, bool v6) {
  const auto octet = [&](std::size_t at) {
    return at < ethernet_frame.size() ? std::to_integer<std::size_t>(ethernet_frame[at]) : 0;
  };
  constexpr std::size_t ethernet = 14;
  const std::size_t tcp = ethernet + (v6 ? 40 : (octet(ethernet) & 15U) * 4);
  const std::size_t end = std::min(tcp + (octet(tcp + 12) >> 4U) * 4, ethernet_frame.size());
  for (std::size_t at = tcp + 20; at + 3 < end && octet(at) != 0;) {
    if (octet(at) == 2) return static_cast<std::uint16_t>(octet(at + 2) << 8U | octet(at + 3));
    at += octet(at) == 1 ? 1 : std::max<std::size_t>(2, octet(at + 1));
  }
  return std::nullopt;
}

}  // namespace

void packets_seen::know(std::map<trace::ip_address, std::string> names, const trace::ip_address& client,
                        const trace::ip_address& server) {
  names_ = std::move(names);
  client_ = client;
  server_ = server;
  heard_.of_server(server);
}

void packets_seen::take(const lab::record& r) {
  if (!first_) first_ = r.when;
  const auto decoded = trace::decode(r.frame, trace::link::ethernet, r.number, r.when);
  if (!decoded) return;
  const trace::packet& p = *decoded;
  const bool is_tcp = p.what == trace::packet::kind::tcp;
  if (r.became == lab::passage::delivered || r.became == lab::passage::cut) note_segment(p);
  if (is_tcp && p.tcp.has(trace::syn) && (p.source == client_ || p.destination == client_))
    if (const auto mss = mss_of_syn(r.frame, p.source.is_v6())) offered_mss_.push_back(*mss);
  const auto name_of = [&](const trace::ip_address& a) {
    const auto found = names_.find(a);
    return found == names_.end() ? a.to_string() : found->second;
  };
  if (first_ones_.size() >= most_listed && last_ones_.size() >= most_listed) last_ones_.pop_front();
  auto& list = first_ones_.size() < most_listed ? first_ones_ : last_ones_;
  list.push_back({.number = r.number,
                  .at_ms = *milliseconds_at(r.when),
                  .from = name_of(p.source),
                  .to = name_of(p.destination),
                  .flags = is_tcp ? p.tcp.flags : std::uint8_t{0},
                  .length = is_tcp ? p.tcp.length : 0,
                  .icmp = p.icmp,
                  .became = r.became,
                  .notes = r.notes});
}

void packets_seen::note_segment(const trace::packet& p) {
  heard_.take(p);
  if (p.what != trace::packet::kind::tcp || p.tcp.length == 0) return;
  const bool of_client = p.tcp.destination.address == server_;
  segment made;
  made.number = p.number;
  made.when = p.when;
  made.length = p.tcp.length;
  made.opener = of_client ? p.tcp.source : p.tcp.destination;
  made.of = of_client ? trace::side::opener : trace::side::responder;
  segments_.push_back(made);
}

std::vector<data_segment> packets_seen::segments(const trace::endpoint& opener, trace::side of) const {
  std::vector<data_segment> found;
  for (const segment& s : segments_)
    if (s.opener == opener && s.of == of) found.push_back(s);
  return found;
}

std::vector<seen_packet> packets_seen::give() {
  std::vector<seen_packet> all(std::make_move_iterator(first_ones_.begin()),
                               std::make_move_iterator(first_ones_.end()));
  std::ranges::move(last_ones_, std::back_inserter(all));
  return all;
}

std::optional<double> packets_seen::milliseconds_at(trace::time_point when) const {
  if (!first_) return std::nullopt;
  return std::chrono::duration<double, std::milli>(when - *first_).count();
}

}  // namespace halfopen::judge
