#ifndef HALFOPEN_SRC_NET_SERVER_TALLY_HPP
#define HALFOPEN_SRC_NET_SERVER_TALLY_HPP

#include <array>
#include <atomic>
#include <cstddef>

#include "halfopen/server.hpp"

namespace halfopen::net {

/// What one thread of a server counts, and any thread may read: no two numbers of it belong to the same
/// moment.
struct server_tally {
  std::atomic<std::size_t> open = 0, served = 0, cut_off = 0, turned_away = 0, aborted = 0;

  void ended(const fate& how) noexcept {
    const auto e = static_cast<std::size_t>(how.how);
    const auto p = static_cast<std::size_t>(how.when);
    if (e < fates_.size() && p < fate_counts::phases) fates_[e][p].fetch_add(1, std::memory_order_relaxed);
  }

  void add_to(server::counts& all) const noexcept {
    all.open += open;
    all.served += served;
    all.cut_off += cut_off;
    all.turned_away += turned_away;
    all.aborted += aborted;
    for (const ending e : all_endings)
      for (std::size_t p = 0; p < fate_counts::phases; ++p)
        all.ended.add(e, static_cast<phase>(p),
                      fates_[static_cast<std::size_t>(e)][p].load(std::memory_order_relaxed));
  }

 private:
  std::array<std::array<std::atomic<std::size_t>, fate_counts::phases>, all_endings.size()> fates_{};
};

}  // namespace halfopen::net

#endif
