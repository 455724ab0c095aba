#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_JUDGED_LINK_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_JUDGED_LINK_HPP

#include <vector>

#include "judge/moment.hpp"
#include "judge/system/link_traffic.hpp"
#include "judge/system/scene.hpp"
#include "judge/system/steady.hpp"
#include "play/proofs.hpp"

namespace halfopen::judge {

/// A service's connections to the dependency that it is about to lose, in a running system. It refers to what
/// must outlive it. Not thread-safe.
struct judged_link {
  scene& world;
  const steady_state& usual;
  play::proofs& proofs;
  const link_traffic& packets;
  link name;
  milliseconds soon;  ///< what the lab itself does takes no longer

  [[nodiscard]] lab::host& service() const { return world.host(name.from); }
  [[nodiscard]] lab::host& dependency() const { return world.host(name.to); }
  [[nodiscard]] lab::match to_dependency() const;
  [[nodiscard]] lab::match to_service() const;
  /// Those that are open now.
  [[nodiscard]] std::vector<const trace::connection*> open_connections() const;
};

/// Lets the world go on until that moment, and proves it. Throws no_verdict if it does not come. Of a reply
/// in its middle, the rest is lost at the cable from then on.
void reach(outage_moment when, judged_link& on);

}  // namespace halfopen::judge

#endif
