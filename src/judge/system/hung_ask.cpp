#include "judge/system/hung_ask.hpp"

#include <algorithm>

#include "judge/system/service_looks.hpp"

namespace halfopen::judge {

void hung_ask::look_since(trace::time_point when) {
  waits_ = waits_since(when, on_);
  // The kernel of such a dependency answers every probe.
  const bool kernel_lives = how_ == outage::frozen || how_ == outage::mute;
  if (!kernel_lives || !waits_) return;
  for (waiting_socket& w : waits_->sockets)
    if (w.what_for != waiting::for_connection) w.length.by_kernel.reset();
}

void hung_ask::look(trace::time_point fault) {
  if (seen_) return;
  const auto& asks = on_.world.asks;
  const auto first = std::ranges::find_if(asks, [](const ask& a) {
    return a.what == probe_kind::probe && a.how == ask_end::hung && a.ended() > milliseconds::zero();
  });
  if (first == asks.end()) return;
  seen_ = true;
  look_since(fault + first->begun);
}

void hung_ask::look_at_the_end(trace::time_point fault) {
  if (seen_) return;
  look_since(fault);
  if (waits_ && waits_->how != waits_on::unanswered) waits_.reset();
}

}  // namespace halfopen::judge
