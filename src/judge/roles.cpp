#include "judge/roles.hpp"

#include <algorithm>

namespace halfopen::judge {
namespace {

constexpr std::size_t no_holder = static_cast<std::size_t>(-1);

/// A bipartite matching by augmenting paths (Kuhn): a part that is taken is given up if its holder finds
/// another one. The connection that was opened as the N-th asks for the N-th part first.
class matching {
 public:
  matching(std::span<const std::string> live, std::span<const std::string> recorded)
      : live_(live), recorded_(recorded), holder_(recorded.size(), no_holder) {
    for (std::size_t i = 0; i < live.size(); ++i) {
      tried_.assign(recorded.size(), false);
      (void)find_part(i);
    }
  }
  [[nodiscard]] std::vector<std::optional<std::size_t>> parts() const {
    std::vector<std::optional<std::size_t>> found(live_.size());
    std::vector<bool> taken(recorded_.size(), false);
    for (std::size_t j = 0; j < holder_.size(); ++j) {
      if (holder_[j] == no_holder) continue;
      found[holder_[j]] = j;
      taken[j] = true;
    }
    const auto take = [&](std::size_t i, std::size_t j) {
      found[i] = j;
      taken[j] = true;
    };
    for (std::size_t i = 0; i < found.size(); ++i)  // what it said tells nothing: its own place
      if (!found[i] && i < taken.size() && !taken[i]) take(i, i);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto next = std::ranges::find(taken, false) - taken.begin();
      if (!found[i] && next < std::ssize(taken)) take(i, static_cast<std::size_t>(next));
    }
    return found;
  }

 private:
  bool find_part(std::size_t i) {
    if (live_[i].empty()) return false;
    if (i < recorded_.size() && try_part(i, i)) return true;
    for (std::size_t j = 0; j < recorded_.size(); ++j)
      if (try_part(i, j)) return true;
    return false;
  }
  bool try_part(std::size_t i, std::size_t j) {
    if (tried_[j] || recorded_[j].empty() || !begins_alike(live_[i], recorded_[j])) return false;
    tried_[j] = true;
    if (holder_[j] != no_holder && !find_part(holder_[j])) return false;
    holder_[j] = i;
    return true;
  }

  std::span<const std::string> live_, recorded_;
  std::vector<std::size_t> holder_;  ///< of each part
  std::vector<bool> tried_;
};

bool turns_alike(const recorded_connection& one, const recorded_connection& other) {
  return std::ranges::equal(one.turns, other.turns,
                            [](const turn& a, const turn& b) { return a.by == b.by && a.bytes == b.bytes; });
}

bool turns_as_long(const recorded_connection& one, const recorded_connection& other) {
  return std::ranges::equal(one.turns, other.turns, [](const turn& a, const turn& b) {
    constexpr std::size_t a_signature = 64;
    const auto [less, more] = std::minmax({a.bytes.size(), b.bytes.size()});
    return a.by == b.by && more - less <= a_signature;
  });
}

}  // namespace

bool begins_alike(std::string_view one, std::string_view other) noexcept {
  const std::size_t both = std::min(one.size(), other.size());
  return one.substr(0, both) == other.substr(0, both);
}

std::vector<std::optional<std::size_t>> roles_of(std::span<const std::string> recorded,
                                                 std::span<const std::string> said) {
  return matching(said, recorded).parts();
}

std::vector<std::string> said_by_client(const recording& r) {
  std::vector<std::string> all;
  for (const recorded_connection& c : r.connections) {
    std::string& text = all.emplace_back();
    for (const turn& t : c.turns)
      if (t.by == speaker::client && text.size() < enough_to_tell) text += t.bytes;
    text.resize(std::min(text.size(), enough_to_tell));
  }
  return all;
}

recording in_order_of(const recording& first, recording other) {
  if (first.connections.size() != other.connections.size()) return other;
  const auto parts = roles_of(said_by_client(first), said_by_client(other));
  recording sorted = other;
  for (std::size_t i = 0; i < parts.size(); ++i)
    sorted.connections[parts[i].value()] = std::move(other.connections[i]);
  return sorted;
}

bool told_apart_by_first_words(const recording& r) {
  const auto first = [](const recorded_connection& c) -> std::string_view {
    if (c.turns.empty() || c.turns.front().by != speaker::client) return {};
    return c.turns.front().bytes;
  };
  for (std::size_t i = 0; i < r.connections.size(); ++i)
    for (std::size_t j = i + 1; j < r.connections.size(); ++j) {
      const recorded_connection &one = r.connections[i], &other = r.connections[j];
      if (begins_alike(first(one), first(other)) && !turns_alike(one, other)) return false;
    }
  return true;
}

bool share_out_alike(const recording& one, const recording& other) {
  const recording sorted = in_order_of(one, other);
  if (said_by_client(one) == said_by_client(sorted)) return true;
  return std::ranges::equal(one.connections, sorted.connections, turns_as_long);
}

}  // namespace halfopen::judge
