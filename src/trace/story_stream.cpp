// When to stop following a connection.
//
// Ordering connections by their last packet (a list, moved at each packet) would find the
// silent ones exactly, and would touch two more cache lines at each of ten million
// packets. Here a packet costs nothing: each connection stands in a queue and is looked at
// when its turn comes; if it has spoken since, it goes to the back. There are two queues,
// one of connections that have ended, whose silence is short, and one of the others, which
// are looked at every `unanswered`.
//
// An entry names its connection by place and number: places are used again.

#include "halfopen/trace/story_stream.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "trace/table.hpp"

namespace halfopen::trace {
namespace {

struct entry {
  std::uint32_t index = 0;
  std::uint64_t number = 0;
  time_point when{};  ///< when it was put into the queue
};

/// The first packets of a connection, and the last ones in a ring.
struct excerpt {
  std::size_t room = 0;
  std::vector<step> first, last;
  std::uint64_t count = 0;

  void add(const step& s) {
    const std::size_t half = room / 2;
    if (first.size() < half)
      first.push_back(s);
    else if (last.size() < room - half)
      last.push_back(s);
    else
      last[static_cast<std::size_t>((count - half) % last.size())] = s;
    ++count;
  }
  void give(untold& to) {
    if (!last.empty()) {
      const std::uint64_t oldest = (count - first.size()) % last.size();
      std::ranges::rotate(last, last.begin() + static_cast<std::ptrdiff_t>(oldest));
    }
    to.steps_left_out = count - first.size() - last.size();
    to.steps = std::move(first);
    to.steps.insert(to.steps.end(), last.begin(), last.end());
  }
};

step step_of(const packet& p, side from) {
  return {p.number,    p.when, p.tcp.sequence, p.tcp.acknowledgement, p.tcp.length, p.tcp.window,
          p.tcp.flags, from,   p.icmp};
}

constexpr std::size_t always_kept = 10'000;

}  // namespace

file_entry untold::tell() && {
  return {number, trace::tell(what, hints), std::move(steps), steps_left_out, std::move(server_name)};
}

struct story_stream::state {
  sink to;
  stream_limits limits;
  keep steps;
  std::optional<std::uint64_t> owed;
  context_finder contexts;  ///< of packets that come without
  table connections;
  std::vector<std::unique_ptr<excerpt>> excerpts;  ///< by index
  std::vector<std::optional<mark>> reused;         ///< by index: the SYN that took its four-tuple
  std::deque<entry> open, ended;
  std::size_t most_held = 0;
  std::size_t open_count = 0;  ///< of the connections held, those not in `ended`
  std::vector<bool> in_ended;  ///< by index
  time_point now{};

  void take(const packet& p, const packet_context& known);
  void advance(time_point to_when);
  [[nodiscard]] bool is(const entry& e) const noexcept {
    return e.index < connections.made() && connections[e.index].number == e.number;
  }
  [[nodiscard]] std::chrono::nanoseconds silence(const entry& e) const noexcept {
    return now - connections[e.index].record().last.when;
  }

  void begin(const table::finding& p, const packet& by);
  void note_end(std::uint32_t index);
  void let_go(std::uint32_t index, watched until);
  void look_at_ended();
  void look_at_open();
  void make_room();
};

void story_stream::state::begin(const table::finding& found, const packet& by) {
  if (excerpts.size() <= found.index) {
    const std::size_t size = found.index + std::size_t{1};
    excerpts.resize(size);
    reused.resize(size);
    in_ended.resize(size);
  }
  reused[found.index].reset();
  in_ended[found.index] = false;
  const std::uint64_t number = connections[found.index].number;
  if (const std::size_t room = steps ? steps(number) : 0; room > 0)
    excerpts[found.index] = std::make_unique<excerpt>(excerpt{std::max<std::size_t>(room, 2), {}, {}, 0});
  open.push_back({found.index, number, now});
  ++open_count;
  // Those that have ended leave their entries behind: no more of them than there are others.
  if (open.size() > 2 * open_count + always_kept)
    std::erase_if(open, [this](const entry& e) { return !is(e) || in_ended[e.index]; });
  if (found.taken_from == followed::none) return;
  // The one before is over; the one before that need not be kept for late words any more.
  reused[found.taken_from] = mark{by.number, by.when};
  note_end(found.taken_from);
  if (const auto oldest = connections[found.taken_from].previous; oldest != followed::none)
    let_go(oldest, watched::to_the_end);
}

void story_stream::state::note_end(std::uint32_t index) {
  if (in_ended[index]) return;
  in_ended[index] = true;
  --open_count;
  ended.push_back({index, connections[index].number, now});
}

void story_stream::state::let_go(std::uint32_t index, watched until) {
  const followed& f = connections[index];
  untold out;
  out.number = f.number;
  out.what = f.record();
  story_hints& hints = out.hints;
  hints = {.owed_by_responder = owed, .capture_end = now, .until = until, .reused_at = reused[index]};
  if (hints.reused_at) hints.capture_end = hints.reused_at->when;
  // Nobody looked on for longer, though the packet that let time pass may have come much later.
  const auto looked_on = f.only_syns() ? limits.unanswered : limits.idle;
  if (until == watched::until_idle && now - f.record().last.when > looked_on)
    hints.capture_end = f.record().last.when + looked_on;
  if (excerpts[index]) excerpts[index]->give(out);
  excerpts[index].reset();
  if (!in_ended[index]) --open_count;
  connections.remove(index);
  to(std::move(out));
}

void story_stream::state::look_at_ended() {
  while (!ended.empty() && (!is(ended.front()) || now - ended.front().when >= limits.after_end)) {
    const entry e = ended.front();
    ended.pop_front();
    if (!is(e)) continue;
    if (silence(e) >= limits.after_end)
      let_go(e.index, watched::to_the_end);
    else
      ended.push_back({e.index, e.number, connections[e.index].record().last.when});
  }
}

void story_stream::state::look_at_open() {
  while (!open.empty() && now - open.front().when >= limits.unanswered) {
    const entry e = open.front();
    open.pop_front();
    if (!is(e) || in_ended[e.index]) continue;
    const auto limit = connections[e.index].only_syns() ? limits.unanswered : limits.idle;
    if (silence(e) >= limit)
      let_go(e.index, watched::until_idle);
    else
      open.push_back({e.index, e.number, now});
  }
}

/// The longest silent of the first few, if there are too many.
void story_stream::state::make_room() {
  const auto most_ended = open_count + always_kept;
  while (!ended.empty() && (!is(ended.front()) || connections.size() - open_count > most_ended ||
                            connections.size() > limits.connections)) {
    const entry e = ended.front();
    ended.pop_front();
    if (is(e)) let_go(e.index, watched::to_the_end);
  }
  while (connections.size() > limits.connections) {
    constexpr int looked_at = 16;
    entry oldest{followed::none, 0, {}};
    for (int i = 0; i < looked_at && !open.empty();) {
      const entry e = open.front();
      open.pop_front();
      if (!is(e) || in_ended[e.index]) continue;
      ++i;
      if (oldest.index == followed::none || silence(e) > silence(oldest)) oldest = e;
      open.push_back({e.index, e.number, e.when});
      if (open.size() == 1) break;
    }
    if (oldest.index == followed::none) return;
    let_go(oldest.index, watched::until_full);
  }
}

story_stream::story_stream(sink to, const stream_limits& limits, keep steps,
                           std::optional<std::uint64_t> owed_by_responder)
    : state_{std::make_unique<state>()} {
  state_->to = std::move(to);
  state_->limits = limits;
  state_->limits.connections = std::max<std::size_t>(limits.connections, 2);
  state_->steps = std::move(steps);
  state_->owed = owed_by_responder;
}
story_stream::~story_stream() = default;
story_stream::story_stream(story_stream&&) noexcept = default;
story_stream& story_stream::operator=(story_stream&&) noexcept = default;

void story_stream::add(const packet& p) {
  if (p.what != packet::kind::other) state_->take(p, state_->contexts.of(p));
}

// The memory of a connection that has not spoken for a while is far away, and to wait for
// it would take longer than all else. So it is asked for a few packets before: first the slot, which says
// where the connection is, then that.

void story_stream::add(std::span<const packet_in_context> all) {
  constexpr std::size_t slots_ahead = 16, connections_ahead = 8;
  const table& connections = state_->connections;
  for (const packet_in_context& p : all.first(std::min(all.size(), slots_ahead)))
    connections.fetch_slot(p.context.hash);
  for (const packet_in_context& p : all.first(std::min(all.size(), connections_ahead)))
    connections.fetch_connection(p.context.hash);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i + slots_ahead < all.size()) connections.fetch_slot(all[i + slots_ahead].context.hash);
    if (i + connections_ahead < all.size())
      connections.fetch_connection(all[i + connections_ahead].context.hash);
    if (all[i].what.what != packet::kind::other) state_->take(all[i].what, all[i].context);
  }
}

void story_stream::state::take(const packet& p, const packet_context& known) {
  state& s = *this;
  if (p.when > s.now) s.advance(p.when);
  const table::finding found = s.connections.take(p, known);
  if (found.index == followed::none) return;
  if (found.begun) s.begin(found, p);
  const followed& f = s.connections[found.index];
  if (s.excerpts[found.index]) s.excerpts[found.index]->add(step_of(p, found.from));
  if (f.ended()) s.note_end(found.index);
  if (!found.begun) return;
  s.make_room();
  s.most_held = std::max(s.most_held, s.connections.size());
}

void story_stream::state::advance(time_point to_when) {
  now = std::max(now, to_when);
  look_at_ended();
  look_at_open();
}

void story_stream::advance(time_point now) {
  state_->advance(now);
}

void story_stream::finish() {
  state& s = *state_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> left;
  for (const auto* queue : {&s.ended, &s.open})
    for (const entry& e : *queue)
      if (s.is(e) && (queue == &s.ended || !s.in_ended[e.index])) left.emplace_back(e.number, e.index);
  std::ranges::sort(left);
  for (const auto& [number, index] : left)
    if (s.connections[index].number == number) s.let_go(index, watched::to_the_end);
}

std::size_t story_stream::held() const noexcept {
  return state_->connections.size();
}
std::size_t story_stream::most_held() const noexcept {
  return state_->most_held;
}
std::uint64_t story_stream::begun() const noexcept {
  return state_->connections.begun();
}

}  // namespace halfopen::trace
