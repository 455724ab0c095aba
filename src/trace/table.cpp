// From packets to connections: which packet belongs to which.
//
// Every packet costs one look-up by four-tuple. Once there are 100 000 connections
// each pointer followed is a miss of the cache, and std::unordered_map follows two.
// Here a slot of eight bytes holds part of the hash and an index, so a slot that
// does not match seldom touches a connection. The hash treats both directions
// alike, and is salted.
//
// Connections stand in chunks: their addresses are handed out and must not move. A
// std::deque would do that, but puts each object of more than 512 bytes on a page of
// its own, one more pointer to follow.
// A four-tuple's older connections stay reachable through `previous`.
//
// A slot that becomes free is closed by moving up what was pushed behind it (Knuth,
// The Art of Computer Programming, volume 3, algorithm 6.4R), so that a table which
// lives for ten million connections does not fill with tombstones.

#include "trace/table.hpp"

#include <utility>

#include "trace/four_tuple.hpp"

namespace halfopen::trace {
namespace {

/// Whose the segment is, if it is of this connection at all.
std::optional<side> sender(const connection& c, const tcp_segment& t) noexcept {
  if (c.opener == t.source && c.responder == t.destination) return side::opener;
  if (c.opener == t.destination && c.responder == t.source) return side::responder;
  return std::nullopt;
}

}  // namespace

void table::fetch_connection(std::uint64_t hash) const noexcept {
  const slot& s = slots_[hash & (slots_.size() - 1)];
  if (s.index != followed::none && s.tag == static_cast<std::uint32_t>(hash >> 32U)) (*this)[s.index].fetch();
}

/// The four-tuple's slot, or the empty one where it belongs.
table::slot& table::find(const tcp_segment& t, std::uint64_t hash, side& from) {
  const auto tag = static_cast<std::uint32_t>(hash >> 32U);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t place = hash & mask;; place = (place + 1) & mask) {
    slot& s = slots_[place];
    if (s.index == followed::none) {
      s.tag = tag;
      return s;
    }
    if (s.tag != tag) continue;
    if (const auto who = sender(at(s.index).record(), t)) {
      from = *who;
      return s;
    }
  }
}

/// The low half of the hash is not kept: it is computed again from the connection.
void table::grow() {
  const std::vector<slot> old = std::exchange(slots_, std::vector<slot>(slots_.size() * 2));
  const std::size_t mask = slots_.size() - 1;
  for (const slot& s : old) {
    if (s.index == followed::none) continue;
    const connection& c = at(s.index).record();
    std::size_t place = hash_of(c.opener, c.responder) & mask;
    while (slots_[place].index != followed::none) place = (place + 1) & mask;
    slots_[place] = s;
  }
}

void table::erase(std::size_t place) {
  const std::size_t mask = slots_.size() - 1;
  --used_;
  for (std::size_t next = place;;) {
    slots_[place] = {};
    for (;;) {
      next = (next + 1) & mask;
      const slot& s = slots_[next];
      if (s.index == followed::none) return;
      const connection& c = at(s.index).record();
      const std::size_t home = hash_of(c.opener, c.responder) & mask;
      if (((next - home) & mask) >= ((next - place) & mask)) break;  // it may stand at `place`
    }
    slots_[place] = slots_[next];
    place = next;
  }
}

table::finding table::begin(slot& s, const tcp_segment& t, const mark& where) {
  const std::uint32_t before = s.index;
  const bool again = !free_.empty();
  const std::uint32_t index = again ? free_.back() : made_++;
  if (again) {
    free_.pop_back();
    at(index) = followed{t, where};
  } else {
    if (index % chunk == 0) chunks_.emplace_back().reserve(chunk);
    chunks_.back().emplace_back(t, where);
  }
  at(index).previous = before;
  at(index).number = ++begun_;
  s.index = index;
  if (before == followed::none && ++used_ * 10 > slots_.size() * 7) grow();
  const side from = at(index).record().opener == t.source ? side::opener : side::responder;
  return {index, before, from, true};
}

/// The connection that the packet belongs to, which a segment may begin.
table::finding table::owner_of(const packet& p, std::uint64_t hash) {
  finding found;
  slot& s = find(p.tcp, hash, found.from);
  found.index = s.index;
  const bool known = s.index != followed::none;
  if (p.what == packet::kind::icmp) return found;
  const mark where{p.number, p.when};
  if (!known) return begin(s, p.tcp, where);
  const followed& newest = at(s.index);
  const auto is_of_the_one_before = [&] {
    found.index = newest.previous;
    found.from = sender(at(found.index).record(), p.tcp).value_or(side::opener);
    return found;
  };
  if (newest.previous != followed::none && p.when < newest.record().first.when) {
    const followed& older = at(newest.previous);
    if (older.is_from_the_past(p, sender(older.record(), p.tcp).value_or(side::opener)))
      return is_of_the_one_before();
  }
  if (newest.is_over_for(p, found.from)) return begin(s, p.tcp, where);
  if (newest.previous == followed::none || !newest.is_too_young_for(p.tcp, found.from)) return found;
  return is_of_the_one_before();
}

table::finding table::take(const packet& p, const packet_context& known) {
  // Before its owner is looked for: a copy of a SYN would begin a connection.
  if (known.copy) {
    side from = side::opener;
    const slot& s = find(p.tcp, known.hash, from);
    if (s.index == followed::none) return {};
    at(s.index).take_copy(p, from);
    return {.index = s.index, .from = from};
  }
  const finding found = owner_of(p, known.hash);
  if (found.index == followed::none) return found;
  if (p.what == packet::kind::icmp)
    at(found.index).take_notice(p, found.from);
  else
    at(found.index).take(p, found.from, known.next_of_host);
  return found;
}

void table::remove(std::uint32_t index) {
  const connection& c = at(index).record();
  const std::size_t mask = slots_.size() - 1;
  const std::uint64_t h = hash_of(c.opener, c.responder);
  const auto tag = static_cast<std::uint32_t>(h >> 32U);
  const auto is_its_slot = [&](const slot& s) {
    const connection& other = at(s.index).record();
    return s.tag == tag && other.side_of(c.opener) && other.side_of(c.responder);
  };
  std::size_t place = h & mask;
  while (slots_[place].index != followed::none && !is_its_slot(slots_[place])) place = (place + 1) & mask;
  const std::uint32_t newest = slots_[place].index;
  if (newest == index) {
    erase(place);
  } else {
    for (std::uint32_t younger = newest; younger != followed::none; younger = at(younger).previous)
      if (at(younger).previous == index) at(younger).previous = at(index).previous;
  }
  at(index).number = 0;
  free_.push_back(index);
}

}  // namespace halfopen::trace
