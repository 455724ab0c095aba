// A tracker keeps every connection that it has seen: for whoever asks about any of them
// at any time, as the lab does. A capture of any size is for story_stream.

#include "halfopen/trace/connection.hpp"

#include "trace/table.hpp"

namespace halfopen::trace {

std::optional<side> connection::side_of(const endpoint& e) const noexcept {
  if (e == opener) return side::opener;
  if (e == responder) return side::responder;
  return std::nullopt;
}

std::string_view to_string(pause::reason r) noexcept {
  constexpr std::array<std::string_view, 3> names{"itself", "acknowledgement", "window"};
  return names[static_cast<std::size_t>(r)];
}

struct tracker::state {
  context_finder contexts;
  table connections;
};

tracker::tracker() : state_{std::make_unique<state>()} {}
tracker::~tracker() = default;
tracker::tracker(tracker&&) noexcept = default;
tracker& tracker::operator=(tracker&&) noexcept = default;

const connection* tracker::add(const packet& p) {
  if (p.what == packet::kind::other) return nullptr;
  const auto found = state_->connections.take(p, state_->contexts.of(p));
  return found.index == followed::none ? nullptr : &state_->connections[found.index].record();
}

std::vector<const connection*> tracker::connections() const {
  std::vector<const connection*> result;
  result.reserve(state_->connections.size());
  for (std::uint32_t i = 0; i < state_->connections.made(); ++i)
    result.push_back(&state_->connections[i].record());
  return result;
}

}  // namespace halfopen::trace
