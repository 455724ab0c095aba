#ifndef HALFOPEN_SRC_CLI_CAMPAIGN_PLAN_HPP
#define HALFOPEN_SRC_CLI_CAMPAIGN_PLAN_HPP

/// \file
/// A campaign's plan: one judgement, or several, in numbered jobs for many machines. A file with a line of
/// JSON a job.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace halfopen::cli {

struct campaign_job {
  std::size_t number = 0;              ///< from 1
  std::filesystem::path folder;        ///< in which it runs
  std::vector<std::string> arguments;  ///< of halfopen
  std::filesystem::path report;        ///< which says that the job is done
  std::chrono::milliseconds cost{};    ///< by earlier reports; 0: not known
};

/// One of the judgements that are shared out.
struct campaign_part {
  std::filesystem::path settings;
  std::chrono::milliseconds cost{};  ///< 0: not known
};

/// So many shards for each part, `shards` in all or one for each: in proportion to what they cost; a part of
/// which nothing is known counts as the mean of the others. Pure, thread-safe.
[[nodiscard]] std::vector<std::size_t> share_out(const std::vector<campaign_part>& parts, std::size_t shards);

/// The line, with its newline.
[[nodiscard]] std::string to_line(const campaign_job& job);

/// Throws usage_error, with file and line.
[[nodiscard]] std::vector<campaign_job> read_plan(const std::string& path);

/// Its report is there, can be read, and was not interrupted.
[[nodiscard]] bool is_done(const campaign_job& job);

}  // namespace halfopen::cli

#endif
