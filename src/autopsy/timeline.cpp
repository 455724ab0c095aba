#include "autopsy/timeline.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace halfopen::autopsy {
namespace {

/// Rounded down, also before 1970.
std::int64_t halved(std::int64_t n) noexcept {
  return n >= 0 ? n / 2 : -((-n + 1) / 2);
}

}  // namespace

std::int64_t timeline::slot_of(trace::time_point when) const noexcept {
  const std::int64_t t = when.time_since_epoch().count(), step = step_.count();
  return t / step - (t % step < 0 ? 1 : 0);
}

void timeline::widen() {
  step_ *= 2;
  std::map<std::int64_t, std::uint64_t> wider;
  for (const auto& [slot, events] : slots_) wider[halved(slot)] += events;
  slots_ = std::move(wider);
}

void timeline::add(trace::time_point when) {
  ++slots_[slot_of(when)];
  const auto span = [this] { return slots_.rbegin()->first - slots_.begin()->first; };
  while (span() >= std::int64_t{most_steps}) widen();
}

std::vector<timeline::bucket> timeline::steps() const {
  std::vector<bucket> all;
  if (slots_.empty()) return all;
  for (std::int64_t slot = slots_.begin()->first; slot <= slots_.rbegin()->first; ++slot) {
    const auto found = slots_.find(slot);
    std::int64_t begins =
        std::numeric_limits<std::int64_t>::min();  // the first step may begin before time does
    if (__builtin_mul_overflow(slot, step_.count(), &begins))
      begins = std::numeric_limits<std::int64_t>::min();
    all.push_back(
        {trace::time_point{std::chrono::nanoseconds{begins}}, found == slots_.end() ? 0 : found->second});
  }
  return all;
}

std::string sparkline(const std::vector<timeline::bucket>& steps) {
  constexpr std::array<const char*, 8> heights{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::uint64_t most = 0;
  for (const auto& s : steps) most = std::max(most, s.events);
  std::string text;
  for (const auto& s : steps) {
    if (s.events == 0) {
      text += "·";
      continue;
    }
    const double share = static_cast<double>(s.events) / static_cast<double>(most);
    text += heights[std::min<std::size_t>(static_cast<std::size_t>(share * 8), 7)];
  }
  return text;
}

}  // namespace halfopen::autopsy
