#include "lab/held_packets.hpp"

#include <algorithm>
#include <utility>

#include "lab/middlebox.hpp"
#include "trace/sequence.hpp"

namespace halfopen::lab {

void held_packets::push(const trace::packet& p, std::span<const std::byte> frame, std::size_t sender,
                        std::size_t receiver) {
  const bool tcp = p.what == trace::packet::kind::tcp;
  all_.push_back({{{frame.begin(), frame.end()}, sender, receiver, p.number, false},
                  tcp ? p.tcp.source : trace::endpoint{},
                  tcp ? p.tcp.sequence + p.tcp.length : 0,
                  tcp ? p.tcp.length : 0,
                  false});
}

void held_packets::push_rest(const trace::packet& p, std::span<const std::byte> frame, std::size_t delivered,
                             std::size_t sender, std::size_t receiver) {
  all_.push_back({{last_part(p, frame, delivered), sender, receiver, p.number, true},
                  p.tcp.source,
                  p.tcp.sequence + p.tcp.length,
                  p.tcp.length - delivered,
                  true});
}

bool held_packets::has(const trace::packet& p) const noexcept {
  return p.what == trace::packet::kind::tcp && p.tcp.length > 0 &&
         std::ranges::any_of(all_, [&](const entry& e) {
           return e.payload > 0 && e.source == p.tcp.source &&
                  trace::at_or_before(p.tcp.sequence + p.tcp.length, e.end);
         });
}

bool held_packets::has_rest_of(const trace::packet& p) const noexcept {
  return has(p) &&
         std::ranges::any_of(all_, [&](const entry& e) { return e.was_cut && e.source == p.tcp.source; });
}

std::optional<held_packets::one> held_packets::take(const trace::endpoint& sender, std::size_t most) {
  const auto found = std::ranges::find(all_, sender, &entry::source);
  if (found == all_.end()) return std::nullopt;
  if (found->payload <= most) {
    one whole = std::move(found->what);
    all_.erase(found);
    return whole;
  }
  const auto decoded = trace::decode(found->what.frame, trace::link::ethernet, found->what.number, {});
  if (!decoded) return std::nullopt;
  one part{first_part(*decoded, found->what.frame, most), found->what.sender, found->what.receiver,
           found->what.number, true};
  found->what.frame = last_part(*decoded, found->what.frame, most);
  found->what.is_part = true;
  found->payload -= most;
  found->was_cut = true;
  return part;
}

void held_packets::drop(const trace::endpoint& sender) {
  std::erase_if(all_, [&](const entry& e) { return e.source == sender; });
}

std::vector<held_packets::one> held_packets::take_all() {
  std::vector<one> taken;
  for (entry& e : std::exchange(all_, {})) taken.push_back(std::move(e.what));
  return taken;
}

}  // namespace halfopen::lab
