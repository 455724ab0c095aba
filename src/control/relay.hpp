#ifndef HALFOPEN_SRC_CONTROL_RELAY_HPP
#define HALFOPEN_SRC_CONTROL_RELAY_HPP

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control/publication.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::control {

/// A published port: each connection from outside is another one inside, from the host `from`, and the bytes,
/// the end of either way and a reset go from one to the other. The kernel outside acknowledges what it has
/// got, as that of any proxy does: a lost host shows outside as silence, and not as packets without an
/// answer. Must not outlive the experiment. Not thread-safe.
class relay {
 public:
  /// `to`: the host that has the name now.
  relay(lab::experiment& lab, lab::host& from, std::function<lab::host&()> to, publication what,
        lab::unique_fd listener);
  ~relay();
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  [[nodiscard]] const publication& what() const noexcept { return what_; }
  [[nodiscard]] std::size_t connections() const noexcept { return sessions_.size(); }

 private:
  struct way;
  struct session;
  void accept_all();
  void begin(lab::unique_fd outside);
  void on_event(std::uint64_t number);
  static bool move(session& s);
  void watch(std::uint64_t number, session& s);

  lab::experiment& lab_;
  lab::host& from_;
  std::function<lab::host&()> to_;
  publication what_;
  lab::unique_fd listener_;
  std::map<std::uint64_t, std::unique_ptr<session>> sessions_;
  std::uint64_t last_ = 0;
};

}  // namespace halfopen::control

#endif
