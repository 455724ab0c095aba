#ifndef HALFOPEN_SRC_CONTROL_DEED_HPP
#define HALFOPEN_SRC_CONTROL_DEED_HPP

/// \file
/// What can be done to a running system, by its words: "crash db", "cut app-db after 100 bytes from db". Pure
/// functions of hostile words; thread-safe.

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "judge/system/system.hpp"

namespace halfopen::control {

using judge::milliseconds;

/// Why something is not done.
struct refusal {
  enum class kind : std::uint8_t {
    bad_request,   ///< no JSON object, or not as documented
    unknown_verb,  ///< a verb or an action that there is not
    unknown_host,
    unknown_link,
    wrong_state,  ///< such as to start what runs
    failed        ///< tried in vain
  };
  kind why{};
  std::string says;  ///< a sentence for people
};
[[nodiscard]] std::string_view to_string(refusal::kind k) noexcept;
[[nodiscard]] std::unexpected<refusal> refuse(refusal::kind why, std::string says);
/// A word of somebody's, to be shown: not longer than a name may be, and without control characters.
[[nodiscard]] std::string shown(std::string_view word);

/// What can be done to a host, or to the link between two.
enum class action : std::uint8_t {
  kill,
  crash,
  start,
  stop,
  freeze,
  thaw,
  reboot,
  move,
  cut,
  heal,
  unreachable,
  reset,
  forget,
  delay,
  lose
};
[[nodiscard]] std::string_view to_string(action a) noexcept;
[[nodiscard]] bool is_of_a_link(action a) noexcept;
/// All of them, a line each, with their words and what they do: for help, and the answer to nonsense.
[[nodiscard]] std::string actions_in_words();

/// The names that the system has.
struct known_names {
  std::vector<std::string> hosts;
  std::vector<judge::link> links;  ///< those that are named when somebody asks for one that there is not
};

struct deed {
  action what{};
  std::string host;               ///< of an action on a host
  judge::link link{};             ///< of one on a link
  milliseconds by{};              ///< delay
  double share = 0;               ///< lose: of the packets, 0 to 1
  std::uint64_t after_bytes = 0;  ///< cut: 0 at once
  std::string after_from;         ///< ... of which host
  bool back = false;              ///< move
  bool with_reset = false;        ///< forget
};

/// Of words such as {"cut", "app-db", "after", "100", "bytes", "from", "db"}. A link is any two hosts,
/// joined by '-'.
[[nodiscard]] std::expected<deed, refusal> read_deed(std::span<const std::string> words,
                                                     const known_names& known);
/// The same words again.
[[nodiscard]] std::string in_words(const deed& d);

/// "200ms", "1.5s", "2min"; a figure alone is seconds. Nothing for anything else, or more than an hour.
[[nodiscard]] std::optional<milliseconds> read_duration(std::string_view text);
/// "5%" or "0.05": 0 to 1.
[[nodiscard]] std::optional<double> read_share(std::string_view text);

}  // namespace halfopen::control

#endif
