#include "judge/main_connection.hpp"

#include <algorithm>

#include "judge/roles.hpp"

namespace halfopen::judge {

parts_of_connections::parts_of_connections(const baseline& base)
    : recorded_(said_by_client(base.said)),
      main_(base.by_chance && !base.said.chosen ? 0 : base.said.main_index()),
      by_chance_(base.by_chance) {}

const trace::connection* parts_of_connections::main_of(std::vector<const trace::connection*> opened,
                                                       const recorder& heard, const lab::arrival* now) const {
  if (by_chance_) {  // who speaks as the N-th: one that has nothing to do stays silent
    const auto first_word = [](const trace::connection* c) {
      const auto& first = c->of(trace::side::opener).first_data;
      return first ? first->number : UINT64_MAX;
    };
    std::ranges::stable_sort(opened, {}, first_word);
  }
  if (by_chance_ || recorded_.size() < 2) return main_ < opened.size() ? opened[main_] : nullptr;
  opened.resize(std::min(opened.size(), recorded_.size()));
  std::vector<std::string> said;
  for (const trace::connection* c : opened) {
    std::string& text = said.emplace_back(heard.said_by(c->opener, enough_to_tell));
    if (now == nullptr || now->connection != c || now->packet->tcp.source != c->opener) continue;
    // A repeat is among what was heard already, but for what was lost.
    if (c->of(trace::side::opener).bytes != text.size() + now->packet->tcp.payload.size()) continue;
    text.append(reinterpret_cast<const char*>(now->packet->tcp.payload.data()),
                now->packet->tcp.payload.size());
  }
  const auto parts = roles_of(recorded_, said);
  const auto found = std::ranges::find(parts, std::optional(main_));
  return found == parts.end() ? nullptr : opened[static_cast<std::size_t>(found - parts.begin())];
}

}  // namespace halfopen::judge
