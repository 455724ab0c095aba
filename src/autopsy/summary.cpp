#include "autopsy/summary.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "autopsy/filter.hpp"

namespace halfopen::autopsy {
namespace {

using trace::culprit;
using trace::manner;
using trace::side;

int badness_of_open(const trace::story& s) noexcept {
  if (s.has(manner::zero_window_stall)) return 75;
  if (s.has(manner::half_closed_long)) return 65;
  if (s.has(manner::never_answered)) return 45;
  return s.has(trace::doubt::still_open) ? 5 : 10;
}

/// Of two whose silence it was, the one that did not answer.
std::optional<side> silent_side(const trace::story& s) noexcept {
  if (!s.ended || s.how != ending::peer_vanished) return std::nullopt;
  return s.what.of(side::opener).unanswered >= s.what.of(side::responder).unanswered ? side::responder
                                                                                     : side::opener;
}

}  // namespace

int badness(const trace::story& s) noexcept {
  if (!s.ended) return badness_of_open(s);
  if (s.has(manner::connect_cancelled)) return 10;
  int value = 50;
  switch (s.how) {
    case ending::peer_vanished:
      value = s.has(manner::never_answered) ? 70 : s.what.handshake_done || !s.what.opener_seen ? 100 : 45;
      break;
    case ending::host_unreachable:
    case ending::net_unreachable:
      value = 85;
      break;
    case ending::peer_rebooted:
      value = 90;
      break;
    case ending::broken_pipe:
    case ending::peer_reset:
      value = s.by == culprit::middlebox ? 82 : 80;
      if (s.could_be(ending::completed)) value = 50;
      break;
    case ending::peer_closed:
      value = 60;
      break;
    case ending::aborted_before_accept:
    case ending::refused:
      value = 40;
      break;
    case ending::completed:
      value = s.also_possible.empty() ? 0 : 3;
      // A request without a byte of an answer.
      if (s.sure != trace::confidence::certain && s.could_be(ending::peer_closed) &&
          !s.has(manner::abortive_close))
        value = 35;
      break;
    default:
      break;
  }
  // What is less sure stands below what is surer.
  if (s.how != ending::completed) value -= 10 * static_cast<int>(s.sure);
  if (s.has(manner::fin_unanswered)) value = std::max(value, 20);
  if (s.has(manner::zero_window_stall) || s.has(manner::half_closed_long)) value = std::max(value, 30);
  return value;
}

bool is_worse(const trace::file_entry& a, const trace::file_entry& b) noexcept {
  const int ours = badness(a.story), theirs = badness(b.story);
  if (ours != theirs) return ours > theirs;
  const auto half_open = [](const trace::file_entry& c) {
    return c.story.half_open_for.value_or(std::chrono::nanoseconds{0});
  };
  if (half_open(a) != half_open(b)) return half_open(a) > half_open(b);
  return a.number < b.number;
}

host_count& summary::host(const trace::ip_address& a) {
  constexpr std::size_t most_hosts = 100'000;
  const auto found = hosts_.find(a);
  if (found != hosts_.end()) return found->second;
  return hosts_.size() < most_hosts ? hosts_[a] : others_;
}

void summary::count(const trace::story& s) {
  ++connections_;
  const std::string_view word = ending_word(s);
  const auto found = endings_.find(word);
  ending_count& e = found != endings_.end() ? found->second : endings_[std::string{word}];
  ++e.connections;
  ++e.by[static_cast<std::size_t>(s.by)];
  if (s.half_open_for) e.longest_half_open = std::max(e.longest_half_open, *s.half_open_for);
  for (const auto& m : s.manners) ++manners_[std::string{to_string(m.what)}];

  const bool died = s.ended && s.how != ending::completed;
  for (const side who : {side::opener, side::responder}) {
    const bool opener = who == side::opener;
    host_count& h = host(opener ? s.what.opener.address : s.what.responder.address);
    ++(opener ? h.opened : h.answered);
    if (!died) continue;
    ++h.died;
    if (s.by == (opener ? culprit::opener : culprit::responder)) ++h.killed;
    if (silent_side(s) == who) ++h.silent;
  }
}

void summary::add_to_group(const trace::file_entry& c) {
  const trace::story& s = c.story;
  if (badness(s) <= 10) return;
  constexpr std::size_t most_groups = 1000;
  std::string kind{ending_word(s)};
  kind += static_cast<char>('0' + static_cast<int>(s.by));
  kind += static_cast<char>('0' + static_cast<int>(s.sure_by));
  for (const auto& m : s.manners) kind += static_cast<char>('a' + static_cast<int>(m.what));
  const trace::endpoint& to = s.what.responder;
  const std::string address = kind + " " + to.address.to_string();
  const std::string full = address + " " + std::to_string(to.port);
  auto found = groups_.find(full);
  for (const std::string* key : std::initializer_list<const std::string*>{&full, &address, &kind}) {
    if (found != groups_.end()) break;
    const bool room = groups_.size() < (key == &full ? most_groups : 2 * most_groups) || key == &kind;
    found = room ? groups_.try_emplace(*key).first : groups_.find(*key);
  }
  story_group& g = found->second;
  const auto end = s.what.last.when;
  if (g.connections++ == 0) {
    g.first = g.last = end;
    g.opener = s.what.opener.address;
    g.example = c;
    g.example.steps.clear();
    return;
  }
  g.first = std::min(g.first, end);
  g.last = std::max(g.last, end);
  g.several_openers = g.several_openers || g.opener != s.what.opener.address;
  const trace::endpoint& shown = g.example.story.what.responder;
  g.several_ports = g.several_ports || shown.port != to.port;
  g.several_responders = g.several_responders || shown.address != to.address;
  if (is_worse(c, g.example)) {
    g.example = c;
    g.example.steps.clear();
  }
}

std::vector<const story_group*> summary::groups() const {
  std::vector<const story_group*> all;
  for (const auto& [key, g] : groups_) all.push_back(&g);
  std::ranges::sort(all, [](const story_group* a, const story_group* b) {
    const int ours = badness(a->example.story), theirs = badness(b->example.story);
    if (ours != theirs) return ours > theirs;
    if (a->connections != b->connections) return a->connections > b->connections;
    return a->example.number < b->example.number;
  });
  return all;
}

void summary::note_slowness(const trace::file_entry& c) {
  const trace::connection& what = c.story.what;
  const trace::flow &opener = what.of(side::opener), &responder = what.of(side::responder);
  const auto note = [&](slow_one& longest, std::chrono::nanoseconds lasted) {
    if (lasted > longest.lasted) longest = {lasted, c.number};
  };
  if (opener.syn && what.handshake_done)
    note(slowest_.handshake, what.handshake_done->when - opener.syn->when);
  if (opener.first_data && responder.first_data)
    note(slowest_.first_byte, responder.first_data->when - opener.first_data->when);
  for (const trace::flow* f : {&opener, &responder}) {
    if (f->longest_pause.waited_for == trace::pause::reason::itself)
      note(slowest_.pause, f->longest_pause.lasted);
    note(slowest_.window, f->zero_window_longest);
  }
}

void summary::add(trace::file_entry&& c) {
  count(c.story);
  note_slowness(c);
  if (c.story.ended && badness(c.story) > 10) deaths_.add(c.story.what.last.when);
  add_to_group(c);
  if (most_ == 0 || worst_.size() < most_) {
    worst_.push_back(std::move(c));
    if (worst_.size() == most_) std::ranges::make_heap(worst_, is_worse);
    return;
  }
  if (!is_worse(c, worst_.front())) return;
  std::ranges::pop_heap(worst_, is_worse);
  worst_.back() = std::move(c);
  std::ranges::push_heap(worst_, is_worse);
}

std::vector<trace::file_entry> summary::take_worst() {
  std::ranges::sort(worst_, is_worse);
  return std::exchange(worst_, {});
}

}  // namespace halfopen::autopsy
