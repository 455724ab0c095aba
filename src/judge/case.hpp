#ifndef HALFOPEN_SRC_JUDGE_CASE_HPP
#define HALFOPEN_SRC_JUDGE_CASE_HPP

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "judge/moment.hpp"
#include "judge/result.hpp"

namespace halfopen::judge {

class stage;

/// What is expected of the judged program (expected.cpp says it in words).
enum class expectation : std::uint8_t {
  usual,            ///< of a client: its usual output or a report; of a server: that it serves on
  whole_reply,      ///< first
  two_replies,      ///< or one and an orderly close, first
  others_answered,  ///< meanwhile
  ends_in_grace,    ///< after SIGTERM
};

/// One case of the catalogue. The ids are stable.
struct judge_case {
  std::string_view id;  ///< "exit/6"
  judge::subject subject{};
  std::string_view done;           ///< what is done, in a sentence
  std::string_view rule;           ///< the sentence that it rests on, with its source
  void (*play)(stage&) = nullptr;  ///< null: `row` says all
  /// Changes the lab before it is built; null: nothing.
  void (*prepare)(lab::options&) = nullptr;
  /// The fault falls on a request of the client's: it can be played at each (`exit/6@2`).
  bool at_a_request = false;
  std::size_t request = 0;  ///< which, counted from 1; 0: the last whose reply the client waits for
  std::optional<client_row> row{};
  std::optional<outage_row> outage{};       ///< of a service: that says all
  std::string_view link_from{}, link_to{};  ///< ... and on which link; empty in the catalogue
  expectation expects = expectation::usual;
  std::string_view expected{};  ///< instead, in the case's own words
  std::size_t connection = 0;   ///< of several, on which the fault falls, counted from 1; 0: the main one
};

/// A case of a client that is a moment and a loss.
[[nodiscard]] constexpr judge_case at(moment when, loss how, std::string_view id, std::string_view done,
                                      std::string_view rule) {
  const bool of_a_request =
      when == moment::on_its_way || when == moment::requested || when == moment::mid_reply;
  return {id, subject::client, done, rule, nullptr, nullptr, of_a_request, 0, client_row{when, how, {}}};
}
/// The case falls on a request.
[[nodiscard]] constexpr judge_case at_a_request(judge_case c) {
  c.at_a_request = true;
  return c;
}
/// The same case with another expectation.
[[nodiscard]] constexpr judge_case expecting(expectation what, judge_case c) {
  c.expects = what;
  return c;
}
[[nodiscard]] constexpr judge_case expecting(std::string_view what, judge_case c) {
  c.expected = what;
  return c;
}

/// The case of a service's outage on a link: "outage/3@app-db". It lives as long as the program. Not
/// thread-safe.
[[nodiscard]] const judge_case& on_link(const judge_case& c, std::string_view from, std::string_view to);

/// One family; each is one file in cases/.
struct family {
  std::string_view name;   ///< "exit"
  std::string_view title;  ///< "the peer's process terminates"
  std::span<const judge_case> cases;
};

extern const family abort_family, exit_family, sigpipe_family, crash_family, reboot_family, shutdown_family,
    format_family, connect_family, overload_family, idle_family, outage_family;

/// All families, in the catalogue's order.
[[nodiscard]] std::span<const family* const> catalogue() noexcept;
[[nodiscard]] const family* family_of(std::string_view id) noexcept;

/// Every case of a pair.
[[nodiscard]] std::vector<const judge_case*> all_cases();
/// Every case of a service, of no link yet.
[[nodiscard]] std::vector<const judge_case*> all_outages();

/// The same case at the N-th request of the client's: "exit/6@2". It lives as long as the program.
/// Not thread-safe.
[[nodiscard]] const judge_case& at_request(const judge_case& c, std::size_t n);

/// The fault falls on one connection of the client's, which may have several.
[[nodiscard]] bool falls_on_a_connection(const judge_case& c) noexcept;
/// The same case on the N-th connection that the client opened in the baseline: "exit/6@c2", "exit/6@1@c2".
/// It lives as long as the program. Not thread-safe.
[[nodiscard]] const judge_case& at_connection(const judge_case& c, std::size_t n);

/// Of an id "exit/6@2", "exit/6@c2" or "exit/6@2@c2" the case; nothing if it is none.
[[nodiscard]] const judge_case* parse_case_at(std::string_view id);

/// "exit/6", "outage/3" (on every link), "crash" (a family) or "crash/*", '*' and '?' as in fnmatch(3); of a
/// torture the place is enough, "kill-*@7". Nothing if none fits.
[[nodiscard]] std::vector<const judge_case*> find_cases(std::string_view pattern,
                                                        std::span<const judge_case* const> among);

}  // namespace halfopen::judge

#endif
