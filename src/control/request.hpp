#ifndef HALFOPEN_SRC_CONTROL_REQUEST_HPP
#define HALFOPEN_SRC_CONTROL_REQUEST_HPP

/// \file
/// What a running system is asked to do, as it comes over its socket: a JSON object a line (docs/control.md).
/// Pure functions of hostile bytes; thread-safe.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/deed.hpp"
#include "judge/decide/outage.hpp"

namespace halfopen::control {

inline constexpr int protocol_version = 1;
/// A longer line ends its connection.
inline constexpr std::size_t longest_line = 1 << 20;

struct do_request {
  std::vector<std::string> words;
  bool wait = true;  ///< until it is done; else until it has begun
};
struct ask_request {
  judge::probe_kind what = judge::probe_kind::probe;
};
struct exec_request {
  std::string host;
  std::vector<std::string> argv;
  std::string input;  ///< of the command; then its end
};
struct state_request {};
struct down_request {};

struct request {
  std::optional<std::int64_t> id;  ///< stands in what answers it
  std::variant<do_request, ask_request, exec_request, state_request, down_request> what;
};

[[nodiscard]] std::expected<request, refusal> read_request(std::string_view line);
/// One line, its end included. What it was made of is UTF-8, or what is none is replaced (U+FFFD).
[[nodiscard]] std::string to_line(const request& r);

}  // namespace halfopen::control

#endif
