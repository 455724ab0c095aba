// Fragmented IP packets put together again: RFC 791 section 3.2, RFC 8200 section 4.5.
//
// A capture filter by port lets first fragments pass and no others, so a packet whose rest does not
// come is not lost: its first fragment holds the TCP header. Where fragments overlap, the first that
// came counts.

#include "trace/fragments.hpp"

#include <algorithm>
#include <iterator>

#include "trace/strip_link.hpp"

namespace halfopen::trace {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_waiting = 256;
constexpr auto longest_wait = 30s;  // Linux: net.ipv4.ipfrag_time
constexpr std::size_t largest_packet = 65'535;

std::vector<std::byte> joined(bytes a, bytes b, std::uint8_t last) {
  std::vector<std::byte> key(a.begin(), a.end());
  key.insert(key.end(), b.begin(), b.end());
  key.push_back(std::byte{last});
  return key;
}

}  // namespace

std::optional<defragmenter::piece> defragmenter::read(bytes f) {
  if (f.empty()) return std::nullopt;
  if (octet(f, 0) >> 4U == 6) return read_v6(f);
  constexpr std::size_t smallest = 20;
  if (f.size() < smallest) return std::nullopt;
  const std::size_t header = (octet(f, 0) & 0x0FU) * std::size_t{4}, total = be16(f, 2);
  if (header < smallest || header > f.size() || total < header) return std::nullopt;
  piece p;
  p.key = joined(f.subspan(12, 8), f.subspan(4, 2), octet(f, 9));
  p.header = f.first(header);
  p.offset = (be16(f, 6) & 0x1FFFU) * std::size_t{8};
  p.more = (be16(f, 6) & 0x2000U) != 0;
  p.cut = f.size() < total;
  p.payload = f.subspan(header, std::min(f.size(), total) - header);
  return p;
}

std::optional<defragmenter::piece> defragmenter::read_v6(bytes f) {
  constexpr std::size_t fixed = 40;
  constexpr std::uint8_t fragment = 44;
  if (f.size() < fixed) return std::nullopt;
  const std::size_t total = fixed + be16(f, 4);
  std::size_t at = fixed, next_at = 6;
  while (octet(f, next_at) != fragment) {
    const std::uint8_t next = octet(f, next_at);
    const bool skippable =
        next == 0 || next == 43 || next == 60;  // what may stand before a fragment's header
    if (!skippable || f.size() < at + 8) return std::nullopt;
    next_at = at;
    at += (octet(f, at + 1) + std::size_t{1}) * 8;
    if (at > f.size()) return std::nullopt;
  }
  if (f.size() < at + 8 || total < at + 8) return std::nullopt;
  piece p;
  p.key = joined(f.subspan(8, 32), f.subspan(at + 4, 4), octet(f, at));
  p.header = f.first(at);
  p.next_header_at = next_at;
  p.next_header = octet(f, at);
  p.offset = be16(f, at + 2) & 0xFFF8U;
  p.more = (be16(f, at + 2) & 1U) != 0;
  p.cut = f.size() < total;
  p.payload = f.subspan(at + 8, std::min(f.size(), total) - at - 8);
  return p;
}

void defragmenter::note(datagram& d, std::size_t begin, std::size_t end) {
  d.have.emplace_back(begin, end);
  std::ranges::sort(d.have);
  std::vector<std::pair<std::size_t, std::size_t>> merged;
  for (const auto& h : d.have)
    if (!merged.empty() && h.first <= merged.back().second)
      merged.back().second = std::max(merged.back().second, h.second);
    else
      merged.push_back(h);
  d.have = std::move(merged);
}

void defragmenter::take(bytes fragment, std::uint64_t number, time_point when) {
  while (!waiting_.empty() && when - waiting_.front().begun > longest_wait) {
    give_up(waiting_.front());
    waiting_.pop_front();
  }
  const auto p = read(fragment);
  if (!p || p->offset + p->payload.size() > largest_packet) return;
  auto d = std::ranges::find(waiting_, p->key, &datagram::key);
  if (d == waiting_.end()) {
    if (waiting_.size() >= most_waiting) {
      give_up(waiting_.front());
      waiting_.pop_front();
    }
    d = waiting_.emplace(waiting_.end());
    d->key = p->key;
    d->begun = when;
  }
  d->number = number;
  d->when = when;
  const std::size_t end = p->offset + p->payload.size();
  if (p->offset == 0 && d->first.empty()) {
    d->first.assign(fragment.begin(), fragment.end());
    d->header.assign(p->header.begin(), p->header.end());
    if (p->next_header_at != 0) d->header[p->next_header_at] = std::byte{p->next_header};
  }
  if (!p->cut && !p->payload.empty()) {
    if (d->payload.size() < end) d->payload.resize(end);
    const bool known =
        std::ranges::any_of(d->have, [&](const auto& h) { return h.first <= p->offset && end <= h.second; });
    if (!known) std::ranges::copy(p->payload, d->payload.begin() + static_cast<std::ptrdiff_t>(p->offset));
    note(*d, p->offset, end);
  }
  if (!p->more && !p->cut) d->size = end;
  const bool complete = d->size && !d->header.empty() && d->have.size() == 1 && d->have.front().first == 0 &&
                        d->have.front().second == *d->size && d->header.size() + *d->size <= largest_packet;
  if (!complete) return;
  datagram done = std::move(*d);
  waiting_.erase(d);
  std::vector<std::byte> ip = std::move(done.header);
  const bool v6 = octet(ip, 0) >> 4U == 6;
  const std::size_t length = v6 ? ip.size() - 40 + *done.size : ip.size() + *done.size;
  const std::size_t at = v6 ? 4 : 2;
  ip[at] = static_cast<std::byte>(length >> 8U);
  ip[at + 1] = static_cast<std::byte>(length & 0xFFU);
  if (!v6) ip[6] = ip[7] = std::byte{0};
  ip.insert(ip.end(), done.payload.begin(), done.payload.begin() + static_cast<std::ptrdiff_t>(*done.size));
  ++whole_;
  to_(ip, done.number, done.when);
}

void defragmenter::give_up(const datagram& d) {
  ++given_up_;
  if (!d.first.empty()) to_(d.first, d.number, d.when);
}

void defragmenter::finish() {
  for (const datagram& d : waiting_) give_up(d);
  waiting_.clear();
}

}  // namespace halfopen::trace
