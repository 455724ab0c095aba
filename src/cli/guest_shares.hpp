#ifndef HALFOPEN_SRC_CLI_GUEST_SHARES_HPP
#define HALFOPEN_SRC_CLI_GUEST_SHARES_HPP

/// \file
/// Work under the virtual clock: the same verb of the same program, inside guests.
///
/// A guest has one processor, so there are several, one a core, and each gets a share of the
/// items. Shares are of a fixed size and not a guest's equal part: then what happens in a guest
/// does not depend on how many cores the machine has. Within a share items go side by side,
/// since one that waits for two hours of guest time costs as much real time as one that waits
/// for a second: the machine only works while somebody does not wait.
///
/// A guest tells of its items in lines of JSON on its standard output: {"started": ID},
/// {"finished": {...}, "id": ID}, {"stopped": {...}} when nothing can be done at all.

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/clock_options.hpp"
#include "clock/job.hpp"

namespace halfopen::cli {

struct shared_work {
  std::vector<std::string> ids;
  std::size_t share_size = 15;
  guest_arguments guest;
  std::function<clock::job(const std::vector<std::string>& share)> job;
  std::function<void(const std::string& id)> started;
  std::function<void(const std::string& id, const nlohmann::json& result)> finished;
  /// The guest ended with the item under way, or before it began.
  std::function<void(const std::string& id, const std::string& why)> given_up;
  /// It was cut off, because somebody asked to stop.
  std::function<void(const std::string& id)> cut_off;
  /// A guest says that nothing can be done: no more are started.
  std::function<void(const nlohmann::json& why)> stopped;
  std::function<void()> tick;  ///< about ten times a second
};

/// Until all items have finished or been given up, or somebody asks to stop (SIGINT, SIGTERM,
/// SIGHUP). Throws lab::error if no guest can be made.
void work_in_guests(const shared_work& work);

/// Inside: one such line, at once.
void tell_outside(const nlohmann::json& line);

}  // namespace halfopen::cli

#endif
