#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_USUAL_REQUEST_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_USUAL_REQUEST_HPP

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "judge/system/judged_link.hpp"

namespace halfopen::judge {

/// What an ask of the probe makes the service say to its dependency, what no other command makes it say, and
/// how often: learnt from some asks with nothing wrong, so that it can be counted whether something is said
/// once more than it was asked for. Not thread-safe.
class usual_request {
 public:
  /// Asks, and listens. `on` must outlive it.
  explicit usual_request(const judged_link& on);

  /// How often it reached the dependency since then, and how often it was asked for; nothing if no request
  /// was the same each time.
  [[nodiscard]] std::optional<request_count> said_since(trace::time_point when) const;

 private:
  std::optional<std::vector<std::string>> said_in_an_ask(asker& a) const;
  [[nodiscard]] link_traffic::repeats like(const std::string& shape, trace::time_point since) const;

  const judged_link& on_;
  std::string shape_;
  std::size_t an_ask_ = 0;  ///< so often; 0: none was the same each time
};

}  // namespace halfopen::judge

#endif
