// What the packets before it say of a packet, before its connection is looked up.
//
// The finding of copies misses the nearest cache at every packet, and so costs a good part of what the
// following of a connection does. It needs no connection: therefore it stands here, where the thread that
// decodes can do it for another one that follows.

#include "halfopen/trace/story_stream.hpp"
#include "trace/copies.hpp"
#include "trace/four_tuple.hpp"
#include "trace/id_rows.hpp"

namespace halfopen::trace {

struct context_finder::state {
  copy_finder copies;
  id_rows ids;

  packet_context of(const packet& p) noexcept;
};

context_finder::context_finder() : state_{std::make_unique<state>()} {}
context_finder::~context_finder() = default;
context_finder::context_finder(context_finder&&) noexcept = default;
context_finder& context_finder::operator=(context_finder&&) noexcept = default;

packet_context context_finder::state::of(const packet& p) noexcept {
  packet_context found{.hash = hash_of(p.tcp.source, p.tcp.destination)};
  if (p.what != packet::kind::tcp) return found;
  found.copy = copies.holds_already(p, found.hash);
  if (found.copy) return found;
  if (p.tcp.has(rst))
    found.next_of_host = ids.goes_on_with(p);
  else
    ids.take(p);  // an RST may be forged
  return found;
}

packet_context context_finder::of(const packet& p) noexcept {
  return state_->of(p);
}

// One after the other, with nothing between: so the processor asks for the next packet's places while it
// waits for this one's.
void context_finder::find(std::span<packet_in_context> all) noexcept {
  for (packet_in_context& p : all) p.context = state_->of(p.what);
}

}  // namespace halfopen::trace
