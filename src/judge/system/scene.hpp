#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_SCENE_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_SCENE_HPP

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "judge/system/asker.hpp"
#include "judge/system/system.hpp"

namespace halfopen::judge {

/// A host of the system is not ready, or ended.
struct not_ready : lab::error {
  std::string host;
  enum class why : std::uint8_t { ended, does_not_listen, never_says_ready } how;
  not_ready(std::string name, why w, const std::string& sentence)
      : lab::error(sentence), host(std::move(name)), how(w) {}
};

/// The hosts of a system, their programs, and those who ask it: the commands of the user, each on the host
/// `user`, and a `witness`, who is nobody's client. Not thread-safe.
class scene {
 public:
  /// `spares_for`: hosts that get another one beside them, to which their names may move.
  /// `ask_limit`: so long an ask is waited for.
  scene(const system& what, milliseconds ask_limit, std::function<void(const lab::record&)> recorder,
        const std::vector<std::string>& spares_for = {});
  /// The lab's last packets come when it ends.
  ~scene() { lab.end_recording(); }
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;

  const system& description;

 private:
  std::optional<lab::waiting_for_processor> waits_;  // before the lab, which asks it

 public:
  lab::experiment lab;
  lab::host &user, &witness;
  std::vector<asker> askers;  ///< probe, health, other; those that the user named
  std::vector<ask> asks;      ///< what has ended

  [[nodiscard]] lab::host& host(const std::string& name) { return lab.at(name); }
  /// The program of that host that was started last; null if none was.
  [[nodiscard]] lab::process* program(const std::string& host_name) const;
  [[nodiscard]] lab::waiting_for_processor& kept_waiting() noexcept { return *waits_; }

  /// Starts the host's command, as of `role`; does not wait.
  lab::process& begin(const std::string& host_name, const std::string& role);
  /// Until it is ready; throws not_ready. So long it took.
  milliseconds until_ready(const std::string& host_name, const std::string& role, milliseconds limit);
  /// At the port that the user named, or any, where others can reach it.
  [[nodiscard]] bool listens(const std::string& host_name, const std::string& role);
  /// It is now: it listens where others can reach it, if it serves, and has said so, if that is waited for.
  [[nodiscard]] bool is_ready(const std::string& host_name, const std::string& role);
  /// All hosts but those, each when what it needs is ready.
  void start_all(const std::vector<std::string>& but = {});

  // Asking.

  [[nodiscard]] asker& probe() { return askers.front(); }
  /// How soon after one another asks begin at the most often, and how many at one time.
  void pace_asks(milliseconds least, std::size_t most) noexcept;
  /// From now on; how often depends on how long ago that is.
  void ask_from(trace::time_point since);
  void stop_asking();
  /// Lets the world go on, and asks meanwhile, until the condition holds or so long has passed; whether it
  /// holds.
  bool go_on(milliseconds how_long, const std::function<bool()>& until = {});
  /// One ask of that kind, with nothing else asked, and its end; nothing else of the asks is changed.
  ask ask_alone(asker& who);
  /// The probe is served `steady_asks` times in a row; false if it is not within the limit.
  bool until_steady(milliseconds limit);
  /// Some asks at one time, as several users would; all of them were served. `slow`: packets that are held
  /// until all have asked, so that they do overlap, and a pool needs a connection for each.
  bool ask_at_once(std::size_t count, const lab::match* slow = nullptr);
  /// Called now and then while the world goes on.
  std::function<void()> meanwhile;

 private:
  lab::options options(std::function<void(const lab::record&)> recorder,
                       const std::vector<std::string>& spares_for);
  void look_at_asks();
  [[nodiscard]] milliseconds next_thing(milliseconds left) const;

  std::map<std::string, lab::process*> programs_;
  std::optional<trace::time_point> asking_since_;
  trace::time_point next_ask_{};
  milliseconds least_interval_{250};
  std::size_t most_at_once_ = 8;
};

}  // namespace halfopen::judge

#endif
