// From packets to connections: which packet belongs to which.
//
// Every packet costs one look-up by four-tuple. Once there are 100 000 connections
// each pointer followed is a miss of the cache, and std::unordered_map follows two.
// Here a slot of eight bytes holds part of the hash and an index, so a slot that
// does not match seldom touches a connection. The hash treats both directions
// alike, and is salted, because a capture may be written by somebody who would
// like all its connections to fall into one slot.
//
// Connections stand in chunks: their addresses are handed out and must not move. A
// std::deque would do that, but puts each object of more than 512 bytes on a page of
// its own, one more pointer to follow.
// A four-tuple's older connections stay reachable through `previous`.

#include "halfopen/trace/connection.hpp"

#include <chrono>
#include <cstring>
#include <utility>

#include "trace/follow.hpp"

namespace halfopen::trace {
namespace {

constexpr std::uint64_t spread(std::uint64_t x) noexcept {  // the finaliser of SplitMix64
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

std::uint64_t hash_of(const endpoint& e, std::uint64_t salt) noexcept {
  std::array<std::uint64_t, 2> words{};
  const auto address = e.address.bytes();
  std::memcpy(words.data(), address.data(), address.size());
  const std::uint64_t low = spread(words[0] ^ salt);
  return e.address.is_v6() ? spread(low + words[1] + e.port) : spread(low + e.port);
}

/// Asks for all of a connection's memory at once: a segment changes most of it,
/// and the cache's misses then overlap.
void fetch(const followed& f) noexcept {
  constexpr std::size_t cache_line = 64;
  const auto* const begin = reinterpret_cast<const std::byte*>(&f);
  for (std::size_t at = 0; at < sizeof(f); at += cache_line) __builtin_prefetch(begin + at, 1);
}

}  // namespace

std::optional<side> connection::side_of(const endpoint& e) const noexcept {
  if (e == opener) return side::opener;
  if (e == responder) return side::responder;
  return std::nullopt;
}

struct tracker::state {
  struct slot {
    std::uint32_t tag = 0;
    std::uint32_t index = followed::none;  ///< of the four-tuple's newest connection
  };

  static constexpr std::size_t chunk = 64;

  std::vector<std::vector<followed>> chunks;  ///< each of `chunk` elements, of which none moves
  std::vector<slot> slots = std::vector<slot>(64);
  std::size_t used = 0;
  // Not a secret worth a system call: it has to differ from one run to the next.
  std::uint64_t salt =
      spread(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));

  [[nodiscard]] std::uint64_t hash(const tcp_segment& t) const noexcept {
    return spread(hash_of(t.source, salt) + hash_of(t.destination, salt));
  }
  [[nodiscard]] bool is_of(const followed& f, const tcp_segment& t) const noexcept {
    const connection& c = f.record();
    return (c.opener == t.source && c.responder == t.destination) ||
           (c.opener == t.destination && c.responder == t.source);
  }

  [[nodiscard]] followed& at(std::uint32_t index) noexcept { return chunks[index / chunk][index % chunk]; }
  [[nodiscard]] std::size_t size() const noexcept {
    return chunks.empty() ? 0 : (chunks.size() - 1) * chunk + chunks.back().size();
  }

  slot& find(const tcp_segment& t);
  void grow();
  followed& begin(slot& s, const tcp_segment& t, const mark& where);
  followed* owner_of(const packet& p, const mark& where);
};

/// The four-tuple's slot, or the empty one where it belongs.
tracker::state::slot& tracker::state::find(const tcp_segment& t) {
  const std::uint64_t h = hash(t);
  const auto tag = static_cast<std::uint32_t>(h >> 32U);
  const std::size_t mask = slots.size() - 1;
  for (std::size_t place = h & mask;; place = (place + 1) & mask) {
    slot& s = slots[place];
    if (s.index == followed::none) {
      s.tag = tag;
      return s;
    }
    if (s.tag != tag) continue;
    fetch(at(s.index));
    if (is_of(at(s.index), t)) return s;
  }
}

/// The low half of the hash is not kept: it is computed again from the connection.
void tracker::state::grow() {
  const std::vector<slot> old = std::exchange(slots, std::vector<slot>(slots.size() * 2));
  const std::size_t mask = slots.size() - 1;
  for (const slot& s : old) {
    if (s.index == followed::none) continue;
    const connection& c = at(s.index).record();
    const std::uint64_t h = spread(hash_of(c.opener, salt) + hash_of(c.responder, salt));
    std::size_t place = h & mask;
    while (slots[place].index != followed::none) place = (place + 1) & mask;
    slots[place] = s;
  }
}

followed& tracker::state::begin(slot& s, const tcp_segment& t, const mark& where) {
  if (chunks.empty() || chunks.back().size() == chunk) chunks.emplace_back().reserve(chunk);
  followed& f = chunks.back().emplace_back(t, where);
  f.previous = s.index;
  const bool is_new = s.index == followed::none;
  s.index = static_cast<std::uint32_t>(size() - 1);
  if (is_new && ++used * 10 > slots.size() * 7) grow();
  return f;
}

/// The connection that the packet belongs to, which a segment may begin.
followed* tracker::state::owner_of(const packet& p, const mark& where) {
  slot& s = find(p.tcp);
  const bool known = s.index != followed::none;
  if (p.what == packet::kind::icmp) return known ? &at(s.index) : nullptr;
  if (!known) return &begin(s, p.tcp, where);
  followed& newest = at(s.index);
  const side from = newest.record().side_of(p.tcp.source).value_or(side::opener);
  if (newest.is_over_for(p.tcp, from)) return &begin(s, p.tcp, where);
  if (newest.previous != followed::none && newest.is_too_young_for(p.tcp, from)) return &at(newest.previous);
  return &newest;
}

tracker::tracker() : state_{std::make_unique<state>()} {}
tracker::~tracker() = default;
tracker::tracker(tracker&&) noexcept = default;
tracker& tracker::operator=(tracker&&) noexcept = default;

const connection* tracker::add(const packet& p) {
  if (p.what == packet::kind::other) return nullptr;
  const mark where{p.number, p.when};
  followed* const owner = state_->owner_of(p, where);
  if (owner == nullptr) return nullptr;
  const side from = owner->record().side_of(p.tcp.source).value_or(side::opener);
  if (p.what == packet::kind::icmp)
    owner->take_notice(p, from);
  else
    owner->take(p, from);
  return &owner->record();
}

std::vector<const connection*> tracker::connections() const {
  std::vector<const connection*> result;
  result.reserve(state_->size());
  for (const auto& some : state_->chunks)
    for (const followed& f : some) result.push_back(&f.record());
  return result;
}

}  // namespace halfopen::trace
