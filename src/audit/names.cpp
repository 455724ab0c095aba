#include <array>

#include "halfopen/audit.hpp"

namespace halfopen::audit {
namespace {

template <class Enumeration, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, Enumeration value) noexcept {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "?";
}

}  // namespace

std::string_view to_string(socket_state s) noexcept {
  static constexpr std::array<std::string_view, 13> names{
      "?",     "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",   "time_wait",
      "close", "close_wait",  "last_ack", "listen",   "closing",   "new_syn_recv"};
  return name_of(names, s);
}

std::string_view to_string(side s) noexcept {
  static constexpr std::array<std::string_view, 3> names{"unknown", "this_host", "peer"};
  return name_of(names, s);
}

std::string_view to_string(rule r) noexcept {
  static constexpr std::array<std::string_view, 7> names{
      "nothing",     "keepalive", "keepalive_and_user_timeout", "user_timeout", "retries2",
      "syn_retries", "not_known"};
  return name_of(names, r);
}

std::string_view to_string(wrong w) noexcept {
  static constexpr std::array<std::string_view, wrongs> names{"gone_not_closed",
                                                              "retransmitting",
                                                              "probes_unanswered",
                                                              "connect_unanswered",
                                                              "zero_window",
                                                              "close_wait",
                                                              "orphan",
                                                              "not_accepting",
                                                              "accept_queue_full",
                                                              "accept_queue_overflowed",
                                                              "pool_partly_dead"};
  return name_of(names, w);
}

}  // namespace halfopen::audit
