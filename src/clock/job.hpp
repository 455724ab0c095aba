#ifndef HALFOPEN_SRC_CLOCK_JOB_HPP
#define HALFOPEN_SRC_CLOCK_JOB_HPP

/// \file
/// What a guest is to do, and the folder through which it is told and answers:
///
///     init      a link to this program, which the guest's kernel starts
///     job       the job, as JSON
///     output, errors   what the program writes
///     status    "started", then "exit N TIME" (in ns) or "failed WHY", a line each
///
/// The folder's name is gone as soon as the guest has started; the files live as long as
/// they are open.

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfopen::clock {

struct job {
  std::vector<std::string> argv;
  std::vector<std::string> environment;         ///< "NAME=value", all of it
  std::filesystem::path directory = "/";        ///< where the program starts
  std::vector<std::filesystem::path> writable;  ///< folders of the host that it may change; absolute
  std::string host_name = "guest";
  /// What it finds in /run, by name, beside what the guest has there: for what is too long for a
  /// command line. Text.
  std::vector<std::pair<std::string, std::string>> files{};
};

/// Where the files of a job are.
inline constexpr const char* files_folder = "/run/";

/// A job for this process's environment, folder and host name.
[[nodiscard]] job job_here(std::vector<std::string> argv);

[[nodiscard]] std::string to_text(const job& j);
[[nodiscard]] std::expected<job, std::string> parse_job(std::string_view text);

/// How the program inside ended, as the file `status` tells.
struct status {
  bool started = false;
  bool ended = false;
  int code = 0;                     ///< its exit status, or 128 + N if signal N ended it
  std::chrono::nanoseconds time{};  ///< of the guest, then
  std::string failure;              ///< why the job could not be started
};
[[nodiscard]] status parse_status(std::string_view text);

}  // namespace halfopen::clock

#endif
