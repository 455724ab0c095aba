#ifndef HALFOPEN_SRC_CONTROL_REINS_HPP
#define HALFOPEN_SRC_CONTROL_REINS_HPP

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/job.hpp"
#include "control/relay.hpp"
#include "control/request.hpp"
#include "control/server.hpp"
#include "control/state.hpp"
#include "judge/system/scene.hpp"

namespace halfopen::control {

/// What a system is held by.
struct held_by {
  lab::unique_fd listener;  ///< for those who hold the reins (place.hpp)
  std::vector<std::pair<publication, lab::unique_fd>> published;
  int until_end_of = -1;  ///< a descriptor that is read until its end, which ends the system; -1: none
  std::string settings, capture;  ///< for state
};

/// What is asked for cannot be done, or not now. Thrown inside this room alone.
struct not_now {
  refusal why;
};

/// A running system: starts it, does to it what is asked for, looks after it, until it is told to end. All of
/// it happens in the thread of run(); what takes a while (an ask, a command, a start) is a job, beside which
/// the rest goes on. Must not outlive the scene. Not thread-safe.
class reins {
 public:
  /// `say`: takes each thing that happens, in a line.
  reins(judge::scene& s, held_by by, std::function<void(const std::string&)> say);
  ~reins();
  reins(const reins&) = delete;
  reins& operator=(const reins&) = delete;

  /// Every host, each when what it needs is ready. Throws judge::not_ready.
  void start();
  /// Asks each of the commands that ask twice, to know what is usual. Why the probe is not served; nothing if
  /// it is.
  [[nodiscard]] std::optional<std::string> learn();
  /// Until it is told to end. Throws lab::interrupted.
  void run();

 private:
  // What is asked for.
  void take(const server::incoming& line);
  void take(const server::incoming& line, const request& r);
  void refuse(server::client to, std::optional<std::int64_t> id, const refusal& why);
  void add(server::client for_whom, const request& r, std::unique_ptr<job> what);
  [[nodiscard]] known_names known() const;

  // Doing it.
  [[nodiscard]] std::unique_ptr<job> begin(const do_request& r);
  [[nodiscard]] std::unique_ptr<job> begin(const ask_request& r);
  [[nodiscard]] std::unique_ptr<job> begin(const exec_request& r, server::client for_whom,
                                           std::optional<std::int64_t> id);
  [[nodiscard]] std::unique_ptr<job> do_to_host(const deed& d, bool wait);
  [[nodiscard]] std::unique_ptr<job> do_to_link(const deed& d);
  [[nodiscard]] std::unique_ptr<job> start_program(lab::host& on, const std::string& role, bool wait);
  [[nodiscard]] std::unique_ptr<job> move(const deed& d, bool wait);
  /// Its command is running on that host.
  [[nodiscard]] bool runs(const std::string& host) const;
  /// Whose program that host runs: its own name, or that of the one whose name has moved to it; null if none.
  [[nodiscard]] const judge::system_host* role_of(const std::string& host) const;

  // Looking after it.
  void look_at_jobs();
  void look_after_programs();
  [[nodiscard]] bool has_something_to_do() const;
  [[nodiscard]] system_state look() const;
  [[nodiscard]] host_state look_at(const lab::host& h) const;
  void look_at_connections(system_state& s) const;
  void look_at_links(system_state& s) const;
  /// Hosts that were not used yet, and the witness, are nobody's business.
  [[nodiscard]] bool is_shown(const lab::host& h) const;

  struct pending {
    server::client for_whom;
    std::optional<std::int64_t> id;
    std::unique_ptr<job> what;
  };

  judge::scene& scene_;
  std::function<void(const std::string&)> say_;
  server server_;
  std::vector<std::unique_ptr<relay>> relays_;
  std::list<pending> jobs_;
  std::map<judge::probe_kind, judge::usual_answer> usual_;
  std::map<std::string, std::string> moved_;          ///< names, to the host that has each now
  std::map<std::string, trace::time_point> started_;  ///< by host
  std::set<std::string> frozen_;
  std::set<std::string> wanted_;        ///< hosts whose commands are not meant to have ended
  std::set<const lab::process*> told_;  ///< whose ends were said
  held_by by_;
  trace::time_point since_ = lab::experiment::now();
  bool steady_ = true, end_ = false;
};

}  // namespace halfopen::control

#endif
