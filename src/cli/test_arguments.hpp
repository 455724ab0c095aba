#ifndef HALFOPEN_SRC_CLI_TEST_ARGUMENTS_HPP
#define HALFOPEN_SRC_CLI_TEST_ARGUMENTS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/clock_options.hpp"
#include "cli/judge_reports.hpp"
#include "judge/runner.hpp"
#include "judge/shard.hpp"

namespace halfopen::cli {

struct test_arguments {
  std::string server, client, name;
  std::string service, probe, health, other;  ///< of a system: the service needs the server
  std::string subject = "both";
  std::vector<std::string> cases, replay, skip, environment;
  std::string torture;     ///< "packets", "bytes", or empty: the catalogue
  std::size_t sample = 0;  ///< of the torture's places; 0: all
  std::string clock = "auto", ip = "4";
  std::string ready, shard, evidence, settings;
  judge_reports reports;
  std::vector<std::string> costs;   ///< reports that say how long each case took
  judge::case_costs known_costs{};  ///< what they say
  double limit = 20, grace = 10, clean_limit = 60, recover = 10;
  std::string request;     ///< "2", "all", or empty: the first and the last that the client waits for
  std::string connection;  ///< "2", "all", or empty: the main one
  std::string disk = "kept";
  std::string peer = "auto";  ///< or "recording", "program"
  std::uint16_t port = 0;
  std::size_t jobs = 0;   ///< 0: choose
  bool terminal = false;  ///< for the client
  bool once = false;      ///< the client's request may be done once only
  bool dry_run = false, strict = false, verbose = false;
  std::string repeat;  ///< the command that does it again
  guest_arguments guest;

  // For a guest's judge, which is told its share and reports to the one outside.
  bool full_length = false, events = false, rehearse = false, brief = false;
  std::optional<judge::system> from_file{};  ///< of the settings file
  std::string system;                        ///< a file with the system
  std::string baseline;                      ///< a file with the baseline that was recorded already
  bool without_fault = false;                ///< for tests
};

void add_options(CLI::App& verb, test_arguments& a);

/// The pair that is to be judged. Throws usage_error.
[[nodiscard]] judge::pair pair_of(const test_arguments& a);
/// The system that is to be judged, of a file or of the options; nothing: a pair is. Throws usage_error.
[[nodiscard]] std::optional<judge::system> system_of(const test_arguments& a);
/// What a report calls it.
[[nodiscard]] std::string name_of(const test_arguments& a, const std::optional<judge::system>& parts);
/// What a report calls the judgement that a settings file describes. Throws usage_error.
[[nodiscard]] std::string judgement_name_in(const std::string& settings);

/// On the baseline, for who reads the report.
[[nodiscard]] std::vector<std::string> remarks_on(const judge::clean_run& usual);

/// Inside a guest: plays its share, and tells of each case in a line of JSON on stdout. With no
/// case to play, of the baseline.
int play_for_the_outside(const test_arguments& a, const judge::run_options& options);

/// Outside: shares the cases out to guests, which are given the baseline. Throws judge::no_baseline if
/// the pair does not work in a guest, or lab::error if no guest can be made.
[[nodiscard]] std::vector<judge::case_result> play_in_guests(const test_arguments& a,
                                                             const judge::run_options& options,
                                                             const judge::clean_run& usual);

/// The baseline alone, in a guest; nothing if somebody asked to stop. Throws as play_in_guests().
[[nodiscard]] std::optional<judge::clean_run> rehearse_in_guest(const test_arguments& a,
                                                                const judge::run_options& options);

}  // namespace halfopen::cli

#endif
