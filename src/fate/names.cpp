// The enumerators' names, each written once: the table is indexed by the
// enumerator, and names_test.cpp checks that the way back agrees.

#include <array>

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

constexpr std::array<std::string_view, all_endings.size()> ending_names{
    "completed",       "refused",       "aborted_before_accept", "peer_closed",
    "peer_reset",      "broken_pipe",   "peer_vanished",         "host_unreachable",
    "net_unreachable", "peer_rebooted", "deadline_passed",       "shut_down",
    "malformed",       "local_failure",
};
constexpr std::array<std::string_view, 5> phase_names{"connecting", "idle", "sending", "awaiting_reply",
                                                      "receiving_reply"};
constexpr std::array<std::string_view, 4> operation_names{"connect", "accept", "read", "write"};
constexpr std::array<std::string_view, 3> retry_names{"safe", "unknown", "pointless"};

template <class Enum, std::size_t N>
std::string_view name_of(Enum value, const std::array<std::string_view, N>& names) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : std::string_view{"?"};
}

}  // namespace

std::string_view to_string(ending e) noexcept {
  return name_of(e, ending_names);
}
std::string_view to_string(phase p) noexcept {
  return name_of(p, phase_names);
}
std::string_view to_string(retry r) noexcept {
  return name_of(r, retry_names);
}
std::string_view to_string(operation o) noexcept {
  return name_of(o, operation_names);
}

std::optional<ending> parse_ending(std::string_view name) noexcept {
  for (const ending e : all_endings)
    if (to_string(e) == name) return e;
  return std::nullopt;
}

}  // namespace halfopen
